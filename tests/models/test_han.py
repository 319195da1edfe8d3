"""HAN against its transcription in NumPy, and what it must do whatever its weights are."""

from __future__ import annotations

import han_in_numpy as plain
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits

from avloc.errors import UsageError
from avloc.models import build
from avloc.models.han import HAN, either

SIZES = {"visual_channels": 9, "audio_channels": 5, "width": 6, "hidden_width": 7}
LABELS = {"independent": {"n_classes": 4, "independent": True}, "exclusive": {"n_classes": 5}}
TOLERANCE = 1e-10


def made(kind: str = "independent", seed: int = 0, **options) -> HAN:
    """A model in double precision and evaluation mode, with biases and gains away from zero."""
    torch.manual_seed(seed)
    model = build("han", **SIZES | LABELS[kind] | options).double().eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.6)
    return model


def features(n_segments: int = 5, batch: int = 2, grid: tuple[int, int] = (2, 3), seed: int = 0):
    draw = np.random.default_rng((n_segments, seed))
    visual = draw.normal(size=(batch, n_segments, *grid, SIZES["visual_channels"]))
    return visual, draw.normal(size=(batch, n_segments, SIZES["audio_channels"]))


def answer(model: HAN, visual: np.ndarray, audio: np.ndarray):
    return model(torch.from_numpy(visual), torch.from_numpy(audio))


def assert_as_transcribed(model: HAN, visual: np.ndarray, audio: np.ndarray) -> None:
    output = answer(model, visual, audio)
    weights = {name: w.detach().numpy() for name, w in model.state_dict().items()}
    for b in range(len(visual)):
        truth = plain.han(weights, model.config, visual[b], audio[b])
        for name, expected in truth.pop("scores").items():
            if not model.config["independent"]:
                expected = np.array([plain.exclusive(p) for p in expected])
            got = model.probabilities(getattr(output, name)[b]).detach().numpy()
            np.testing.assert_allclose(got, expected, atol=TOLERANCE, err_msg=name)
        for name in ("pooled", "pooled_heard", "pooled_seen"):
            got = getattr(output, name)[b].detach()
            np.testing.assert_allclose(got, truth.pop(name), atol=TOLERANCE, err_msg=name)
        for name, rows in truth.items():
            for got, expected in zip(getattr(output, name)[b].detach().numpy(), rows, strict=True):
                if expected is not None:
                    np.testing.assert_allclose(got, expected, atol=TOLERANCE, err_msg=name)
        assert len(truth) == 4


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("n_segments", [1, 2, 10, 33])
def test_the_model_follows_the_equations_at_any_length(kind, n_segments):
    assert_as_transcribed(made(kind), *features(n_segments))


@pytest.mark.parametrize("heads", [2, 3, 6])
def test_any_number_of_heads(heads):
    assert_as_transcribed(made(heads=heads), *features())


@pytest.mark.parametrize("grid", [(1, 1), (7, 7), (2, 5)])
def test_any_picture_grid(grid):
    assert_as_transcribed(made(), *features(3, grid=grid))


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize(
    ("silent", "dark"),
    [([2], []), ([], [0, 4]), ([1, 2], [2, 3]), (range(5), []), ([], range(5)), (range(5), [1])],
    ids=str,
)
def test_missing_segments_follow_the_equations_without_them(kind, silent, dark):
    visual, audio = features()
    visual[0, list(dark)] = 0
    audio[0, list(silent)] = 0
    assert_as_transcribed(made(kind), visual, audio)


@pytest.mark.parametrize("kind", LABELS)
def test_a_hidden_sense_gives_no_evidence(kind):
    model, (visual, audio) = made(kind), features(8)
    deaf, blind = answer(model, visual, audio * 0), answer(model, visual * 0, audio)
    for output, hidden, shown in ((deaf, "heard", "seen"), (blind, "seen", "heard")):
        assert model.probabilities(getattr(output, hidden)).max() < 1e-12
        told = model.probabilities(getattr(output, shown))
        torch.testing.assert_close(model.probabilities(output.logits), told, atol=1e-9, rtol=0)
        assert output.pooled.min() > 0
    nothing = answer(model, visual * 0, audio * 0)
    assert model.probabilities(nothing.logits).max() < 1e-12
    assert nothing.pooled.max() < 1e-12


def test_what_is_seen_of_a_silent_clip_does_not_depend_on_what_the_sound_would_have_been():
    model, (visual, audio) = made(), features(6)
    before = answer(model, visual, audio)
    assert not torch.allclose(before.seen, answer(model, visual, audio + 1).seen)
    silent = answer(model, visual, audio * 0)
    part = answer(model, visual[:1], audio[:1] * 0)
    torch.testing.assert_close(silent.seen[:1], part.seen)


@given(st.floats(-40, 40), st.floats(-40, 40))
def test_an_event_is_what_either_sense_has(heard, seen):
    a, v = torch.tensor([heard]).double(), torch.tensor([seen]).double()
    expected = 1 - (1 - a.sigmoid()) * (1 - v.sigmoid())
    torch.testing.assert_close(either(a, v).sigmoid(), expected)
    assert either(a, v) >= torch.maximum(a, v)
    torch.testing.assert_close(either(a, v), either(v, a))


def test_a_clip_alone_and_in_a_batch_gives_the_same():
    model, (visual, audio) = made(), features(7, batch=5)
    audio[1] = 0
    visual[2] = 0
    audio[3, 4:] = 0
    together = answer(model, visual, audio)
    for b in range(5):
        alone = answer(model, visual[b : b + 1], audio[b : b + 1])
        for name in ("logits", "heard", "seen", "pooled"):
            torch.testing.assert_close(getattr(alone, name)[0], getattr(together, name)[b])


def test_padding_changes_nothing():
    model, (visual, audio) = made(), features(6)
    visual[:, 4:], audio[:, 4:] = 0, 0
    padded, short = answer(model, visual, audio), answer(model, visual[:, :4], audio[:, :4])
    torch.testing.assert_close(padded.logits[:, :4], short.logits)
    torch.testing.assert_close(padded.pooled, short.pooled)


def test_the_order_of_segments_only_orders_the_answer():
    model, (visual, audio) = made(), features(6)
    order = np.random.default_rng(1).permutation(6)
    before, after = answer(model, visual, audio), answer(model, visual[:, order], audio[:, order])
    torch.testing.assert_close(after.logits, before.logits[:, order])
    torch.testing.assert_close(after.pooled, before.pooled)


@given(seed=st.integers(0, 1000), n_segments=st.integers(1, 9), hidden=st.integers(0, 3))
def test_attentions_sum_to_one_and_what_is_pooled_is_a_probability(seed, n_segments, hidden):
    visual, audio = features(n_segments, seed=seed)
    output = answer(made(seed=seed), visual * (hidden & 1), audio * (hidden >> 1))
    for name in ("self_attention", "co_attention"):
        for sense in ("visual", "audio"):
            sums = getattr(output, f"{name}_{sense}").sum(-1)
            torch.testing.assert_close(sums, torch.ones_like(sums))
    assert 0 <= output.pooled.min() <= output.pooled.max() <= 1


@pytest.mark.parametrize("missing", ["nothing", "sound of a clip", "both of a segment"])
def test_gradients_are_finite_and_reach_every_parameter(missing):
    model, (visual, audio) = made().train(), features()
    if missing != "nothing":
        audio[0, : 5 if missing.startswith("sound") else 1] = 0
        visual[0, :1] = 0
    output = answer(model, visual, audio)
    targets = torch.from_numpy(np.random.default_rng(0).integers(0, 2, (2, 5, 4))).double()
    loss = binary_cross_entropy_with_logits(output.logits, targets)
    (loss + binary_cross_entropy(output.pooled, targets.amax(1))).backward()
    for name, parameter in model.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


def overfitted(kind: str, heard: torch.Tensor, seen: torch.Tensor):
    """Train a small model on six clips, on the truth of each sense; return it and its answer."""
    torch.manual_seed(0)
    model = build("han", **SIZES | {"width": 16, "hidden_width": 32, "dropout": 0} | LABELS[kind])
    visual, audio = (torch.from_numpy(x).float() for x in features(8, batch=6))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(150):
        output = model(visual, audio)
        parts = [
            binary_cross_entropy_with_logits(logits[..., :4], truth.float())
            for logits, truth in ((output.heard, heard), (output.seen, seen))
        ]
        optimizer.zero_grad()
        sum(parts).backward()
        optimizer.step()
    return model.eval(), model(visual, audio)


def test_it_learns_labels_that_overlap_and_which_sense_has_each():
    draw = torch.Generator().manual_seed(3)
    heard, seen = torch.rand(2, 6, 8, 4, generator=draw) < 0.35
    assert (heard.sum(-1) > 1).any()
    assert (heard & ~seen).any()
    model, output = overfitted("independent", heard, seen)
    for logits, truth in (
        (output.heard, heard),
        (output.seen, seen),
        (output.logits, heard | seen),
    ):
        assert ((model.probabilities(logits) > 0.5) == truth).float().mean() > 0.99


def test_it_learns_exclusive_labels():
    draw = torch.Generator().manual_seed(4)
    classes = torch.randint(5, (6, 8), generator=draw)
    events = torch.nn.functional.one_hot(classes, 5)[..., :4].bool()
    model, output = overfitted("exclusive", events, events)
    scores = model.probabilities(output.logits)
    assert scores.shape == (6, 8, 4)
    assert (scores.sum(-1) <= 1).all()
    assert (output.logits.argmax(-1) == classes).float().mean() > 0.99


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"heads": 5}, "width is 6 with 5 heads"),
        ({"dropout": 1}, "dropout"),
        ({"width": 0}, "width"),
    ],
)
def test_options_that_are_not_possible_are_refused(options, says):
    with pytest.raises(UsageError, match=says) as caught:
        made(**options)
    assert caught.value.hint
