"""What CMAN must do whatever its weights are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.errors import UnknownNameError, UsageError
from avloc.models import ModelOutput, build

SIZES = {"visual_channels": 8, "audio_channels": 6, "n_classes": 5, "width": 16}
TABLE_1 = {
    "audio": {"modalities": "audio", "where": False, "when": False, "which": False},
    "picture": {"modalities": "visual", "where": False, "when": False, "which": False},
    "both": {"where": False, "when": False, "which": False},
    "where": {"when": False, "which": False},
    "when": {"where": False, "which": False},
    "which": {"where": False, "when": False},
    "where+when": {"which": False},
    "when+which": {"where": False},
    "where+which": {"when": False},
    "all": {},
}
TABLE_2 = {"no context": {"global_context": False}, "no sentinel": {"sentinel": False}}
ROWS = TABLE_1 | TABLE_2


def made(seed: int = 0, **options):
    torch.manual_seed(seed)
    return build("cman", **SIZES, **options).eval()


def features(batch: int = 3, n_segments: int = 7, side: int = 4, seed: int = 0):
    draw = torch.Generator().manual_seed(seed)
    visual = torch.randn(batch, n_segments, side, side, 8, generator=draw)
    return visual, torch.randn(batch, n_segments, 6, generator=draw)


@pytest.mark.parametrize("row", ROWS)
def test_gradients_reach_every_parameter(row):
    model = made(**ROWS[row]).train()
    output = model(*features())
    torch.nn.functional.cross_entropy(output.logits.flatten(0, 1), torch.arange(21) % 5).backward()
    blind = [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert blind == []


@pytest.mark.parametrize("row", ROWS)
def test_a_row_has_only_the_modules_it_names(row):
    options = ROWS[row]
    output: ModelOutput = made(**options)(*features())
    assert output.logits.shape == (3, 7, 5)
    assert (output.attention is not None) == options.get("where", True)
    both = options.get("modalities", "both") == "both"
    is_when, is_which = options.get("when", True), options.get("which", True)
    assert (output.self_attention_audio is not None) == (is_when and both)
    assert (output.co_attention_visual is not None) == is_which
    assert (output.gate_audio is not None) == (is_which and options.get("sentinel", True))


def test_one_modality_ignores_the_other():
    visual, audio = features()
    for name, options in (("audio", TABLE_1["audio"]), ("visual", TABLE_1["picture"])):
        model = made(**options)
        other_v = visual if name == "visual" else visual * 0 + 9
        other_a = audio if name == "audio" else audio * 0 - 9
        torch.testing.assert_close(model(visual, audio).logits, model(other_v, other_a).logits)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), n_segments=st.integers(1, 13), side=st.integers(1, 5))
def test_attentions_sum_to_one_and_gates_keep_their_range(seed, n_segments, side):
    output = made(seed)(*features(2, n_segments, side, seed))
    regions = output.attention.flatten(2).sum(-1)
    torch.testing.assert_close(regions, torch.ones_like(regions))
    for name in ("self_attention", "co_attention"):
        for stream in ("visual", "audio"):
            sums = getattr(output, f"{name}_{stream}").sum(-1)
            torch.testing.assert_close(sums, torch.ones_like(sums))
    gates = output.gate_visual + output.gate_audio
    torch.testing.assert_close(gates, torch.ones_like(gates))
    for gate in (output.gate_visual, output.gate_audio):
        assert gate.min() >= 0.2689
        assert gate.max() <= 0.7311


def test_permuted_regions_permute_the_attention_and_nothing_else():
    model, (visual, audio) = made().double(), (x.double() for x in features())
    order = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    shuffled = visual.flatten(2, 3)[:, :, order].unflatten(2, (4, 4))
    before, after = model(visual, audio), model(shuffled, audio)
    torch.testing.assert_close(after.logits, before.logits)
    torch.testing.assert_close(after.attention.flatten(2), before.attention.flatten(2)[..., order])
    assert not torch.allclose(after.attention, before.attention)


def test_a_clip_alone_and_in_a_batch_gives_the_same():
    model, (visual, audio) = made(), features(5)
    together = model(visual, audio)
    for b in range(5):
        alone = model(visual[b : b + 1], audio[b : b + 1])
        torch.testing.assert_close(alone.logits[0], together.logits[b], atol=1e-5, rtol=1e-5)


def test_a_causal_model_does_not_hear_what_comes():
    model = made(bidirectional=False, when=False, which=False)
    visual, audio = features()
    changed = audio.clone()
    changed[:, 5:] += 3
    before, after = model(visual, audio).logits, model(visual, changed).logits
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5:], after[:, 5:])


def test_dropout_only_in_training():
    model, (visual, audio) = made(dropout=0.5), features()
    torch.testing.assert_close(model(visual, audio).logits, model(visual, audio).logits)
    model.train()
    assert not torch.allclose(model(visual, audio).logits, model(visual, audio).logits)


def test_the_temperature_starts_where_it_is_told():
    assert made().where.log_temperature.exp().item() == pytest.approx(5.0)
    assert made(temperature=1).where.log_temperature.exp().item() == pytest.approx(1.0)


def test_it_overfits_eight_clips():
    torch.manual_seed(0)
    model = build("cman", **SIZES)
    visual, audio = features(8, 10, 3, seed=5)
    targets = torch.randint(5, (8, 10), generator=torch.Generator().manual_seed(5))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(100):
        logits = model(visual, audio).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    right = model.eval()(visual, audio).logits.argmax(-1) == targets
    assert right.float().mean() > 0.99


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"modalities": "sound"}, UnknownNameError, "sound"),
        ({"wdth": 8}, UnknownNameError, "wdth"),
        ({"modalities": "audio"}, UsageError, "no spatial attention"),
        ({"width": 15}, UsageError, "width is 15"),
        ({"dropout": 1.5}, UsageError, "dropout is 1.5"),
        ({"temperature": 0.0}, UsageError, "temperature"),
        ({"when": "perhaps"}, UsageError, "when cannot be 'perhaps'"),
        ({"input_map": False}, UsageError, "input_map"),
    ],
)
def test_options_that_cannot_be_are_refused_in_words(options, error, says):
    with pytest.raises(error, match=says) as caught:
        build("cman", **(SIZES | options))
    assert caught.value.hint


def test_no_option_is_without_help():
    from dataclasses import fields

    from avloc.models import model_class

    assert all(entry.metadata["help"] for entry in fields(model_class("cman").Config))


def test_half_precision_features_of_any_scale_stay_finite():
    model, (visual, audio) = made(), features()
    for factor in (0.0, 1e-4, 1e4):
        logits = model(visual * factor, audio * factor).logits
        assert np.isfinite(logits.detach().numpy()).all()
