"""Windows of different lengths in one batch: each counts as it does alone, and padding nowhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from cman_in_numpy import lstm as lstm_in_numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import World, made_up

from avloc.datasets.batch_order import batch_indices
from avloc.datasets.batches import Batch, make_batch
from avloc.datasets.examples import Examples, load_examples
from avloc.evaluation.evaluator import evaluate
from avloc.inference import infer
from avloc.labels import LabelSet
from avloc.models import Model, ModelOptions, ModelOutput, build, register
from avloc.models.label_scores import LabelClasses
from avloc.models.real_segments import run_lstm
from avloc.training import TrainingConfig, loss_of
from avloc.training.fit import fit
from avloc.training.losses import Loss
from avloc.training.splicing import draw_splice, with_splices
from avloc.training.team import Team
from avloc.training.team_share import share_of

CPU = torch.device("cpu")
SIZES = {"visual_channels": 12, "audio_channels": 6}
NARROW = {"attention_width": 3, "score_width": 2, "head_width": 3, "width": 4}
MODELS = {
    "cman": {"width": 4, "head_width": 3, "dropout": 0.0, "similarity": "cosine"},
    "cman forwards": {"width": 4, "bidirectional": False, "memory": "lstm", "gate": "raw"},
    "avel": NARROW,
    "avel dmrn": NARROW | {"fusion": "dmrn", "where": False},
    "avsdn": NARROW | {"decoder_width": 3},
    "cam": {"width": 3, "head_width": 3},
    "han": {"width": 4, "heads": 2, "hidden_width": 3, "dropout": 0.0},
    "open": {"independent": True}
    | {f"{sense}_{name}": 3 for sense in ("audio", "visual") for name in ("width", "classes")}
    | {f"{sense}_pairs": 2 for sense in ("audio", "visual")}
    | {f"{sense}_head": "tagger" for sense in ("audio", "visual")},
}
LOSSES = {
    "full": {},
    "proportion": {"weak_labels": "proportion", "pooling": "mean"},
    "count": {"weak_labels": "proportion", "pooling": "count", "isolate": "off"},
    "presence": {"weak_labels": "presence", "pooling": "topk", "top_k": 3},
}


def made(name: str, *, independent: bool = False) -> Model:
    torch.manual_seed(0)
    options = SIZES | {"n_classes": 2 if independent or name == "open" else 3}
    options |= {"independent": independent} | MODELS[name]
    model = build(name.split()[0], **options)
    if name == "open":
        classes = [LabelClasses((0,), (1.0,)), LabelClasses((2,), (1.0,))]
        for labels in (model.heard_labels, model.seen_labels):
            labels.fit(classes, [0.1, 0.2], [1.0, 1.0])
    return model.double().eval()


def loss_named(name: str, kind: str, *, pools: bool = False) -> Loss:
    changes = LOSSES[name]
    if pools:
        changes = {"weak_labels": "presence", "pooling": "auto"}
    supervision = {} if name == "full" else {"supervision": "weak", "splice": "off"}
    config = TrainingConfig(**supervision, **changes)
    return loss_of(config, LabelSet(("bell", "bark"), kind=kind), most_labels=2)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Videos of 1 to 9 segments."""
    root = tmp_path_factory.mktemp("world")
    return made_up(root, n_videos=12, lengths=(7, 2, 9, 4, 1), splits=("train",), n_segments=None)


@pytest.fixture(scope="module")
def examples(world: World) -> Examples:
    """Their windows of 4 segments at most, two or three for the longer ones."""
    return load_examples(world.store, world.dataset, "train", window=4)


def batch_of(examples: Examples, indices: list[int], garbage: float = 0.0) -> Batch:
    batch = make_batch(examples, indices)
    batch = replace(batch, visual=batch.visual.double(), audio=batch.audio.double())
    if batch.real is not None:
        for features in (batch.visual, batch.audio):
            features[~batch.real] = garbage * torch.randn_like(features[~batch.real])
    return batch


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=2)
@given(seed=st.integers(0, 10**6), garbage=st.sampled_from([0.0, 1.0, 100.0]))
def test_a_padded_window_gives_what_it_gives_alone(
    examples: Examples, name: str, seed: int, garbage: float
) -> None:
    model = made(name)
    indices = np.random.default_rng(seed).permutation(len(examples))[:4].tolist()
    together = batch_of(examples, indices, garbage)
    padded = model(*together.inputs)
    for b, index in enumerate(indices):
        single = batch_of(examples, [index])
        alone = model(*single.inputs)
        length = len(examples.entries[index].targets)
        for field, expected in vars(alone).items():
            if expected is not None:
                ends = [slice(n) if n == length else slice(None) for n in expected.shape[1:]]
                value = getattr(padded, field)[(slice(b, b + 1), *ends)]
                torch.testing.assert_close(value, expected, rtol=1e-6, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize("kind", ["exclusive", "independent"])
@pytest.mark.parametrize(
    ("name", "supervision"),
    [(name, loss) for name in MODELS for loss in ("full", "presence") if name != "open"]
    + [("cman", "proportion"), ("cman", "count")],  # of logits only, whatever the model
)
def test_gradients_are_the_sum_of_those_of_each_row_alone(
    examples: Examples, name: str, kind: str, supervision: str
) -> None:
    model = made(name, independent=kind == "independent")
    loss = loss_named(supervision, kind, pools=model.has_pooling and supervision != "full")

    def gradients(batches: list[Batch]) -> tuple[float, int, list[torch.Tensor]]:
        model.zero_grad()
        totals = [loss.total(model(*batch.inputs), batch.truth) for batch in batches]
        torch.stack(totals).sum().backward()
        found = [p.grad.clone() for p in model.parameters() if p.grad is not None]
        return (
            sum(t.item() for t in totals),
            sum(loss.count(batch.truth) for batch in batches),
            found,
        )

    rows: dict[int, list[int]] = {}
    for index, entry in enumerate(examples.entries):
        rows.setdefault(entry.row, []).append(index)
    together = gradients([batch_of(examples, [*range(len(examples))], garbage=3.0)])
    alone = gradients([batch_of(examples, indices) for indices in rows.values()])
    assert together[0] == pytest.approx(alone[0], rel=1e-5)
    assert together[1] == alone[1]
    for one, other in zip(together[2], alone[2], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_a_packed_lstm_is_the_recurrence_written_in_numpy() -> None:
    torch.manual_seed(0)
    layer = torch.nn.LSTM(3, 2, batch_first=True, bidirectional=True).double()
    weights = {f"x.lstm.{name}": w.detach().numpy() for name, w in layer.named_parameters()}
    x, lengths = torch.randn(4, 5, 3).double(), [2, 5, 1, 3]
    real = torch.arange(5) < torch.tensor(lengths)[:, None]
    states, (last, _) = run_lstm(layer, x, real)
    for b, length in enumerate(lengths):
        expected, _ = lstm_in_numpy(weights, "x", x[b, :length].numpy(), 2, sentinel=False)
        np.testing.assert_allclose(states[b, :length].detach(), expected, atol=1e-12)
        assert not states[b, length:].any()
        ends = np.concatenate([expected[-1, :2], expected[0, 2:]])
        np.testing.assert_allclose(last[:, b].flatten().detach(), ends, atol=1e-12)


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_splices_of_windows_of_different_lengths(examples: Examples, seed: int) -> None:
    indices = np.random.default_rng(seed).permutation(len(examples))[:6].tolist()
    batch = batch_of(examples, indices, garbage=100.0)
    truth = batch.truth
    splice = draw_splice(truth.present, truth.lengths, seed)
    spliced = with_splices(batch, splice)
    lengths = truth.lengths.tolist()
    for b, (length, partner) in enumerate(zip(lengths, splice.partner.tolist(), strict=True)):
        inside = splice.inside[b].numpy()
        assert not inside[length:].any()
        assert inside.any() == bool(splice.has_partner[b])
        assert not inside[:length].all()
        taken = splice.source[b][inside].numpy()
        assert (np.diff(taken) == 1).all()
        assert (taken < lengths[partner]).all()
        sounds = spliced.audio[len(indices) + b]
        assert torch.equal(sounds[inside], batch.audio[partner, taken])
        own = np.flatnonzero(~inside[:length])
        assert torch.equal(sounds[own], batch.audio[b, own])
    loss = loss_of(
        TrainingConfig(supervision="weak", weak_labels="presence", pooling="max", splice="on"),
        LabelSet(("bell", "bark"), kind="independent"),
    )
    logits = torch.randn(*truth.scored.shape, 2).double()
    for total in (loss.splice_total, loss.error.splice_total):
        before = total(logits, splice, truth)
        if truth.real is not None:
            logits[~truth.real] += 50
        torch.testing.assert_close(total(logits, splice, truth), before)


def test_processes_share_padded_windows_and_their_splices(examples: Examples) -> None:
    loss = loss_of(
        TrainingConfig(supervision="weak", weak_labels="presence", pooling="max", splice="on"),
        LabelSet(("bell", "bark")),
    )
    indices = [*range(len(examples))]
    whole = batch_of(examples, indices)
    alone = share_of(Team(CPU), whole.truth, loss, (0, 1))
    expected = with_splices(whole, alone.splice).audio[len(indices) :]
    for rank in range(6):
        share = share_of(Team(CPU, rank, 6), whole.truth, loss, (0, 1))
        part = batch_of(examples, [indices[n] for n in (*share.windows, *share.partners)])
        spliced = with_splices(part, share.splice).audio[len(share.windows) :]
        longest = part.audio.shape[1]
        assert torch.equal(spliced, expected[share.windows, :longest])
        assert not expected[share.windows, longest:].any()


def test_batches_have_the_size_that_was_asked_for(examples: Examples) -> None:
    sizes = [len(indices) for indices in batch_indices(examples, 4, 0)]
    assert sorted(sizes, reverse=True)[: len(examples) // 4] == [4] * (len(examples) // 4)
    assert sum(sizes) == len(examples)
    lengths = [len(examples.entries[i].targets) for b in batch_indices(examples, 4) for i in b]
    assert lengths == sorted(lengths)  # where the order does not matter, little is padded


class Plain(Model):
    """A model that cannot leave out padding."""

    Config = ModelOptions

    def __init__(self, options: ModelOptions) -> None:
        super().__init__(options)
        self.head = torch.nn.Linear(options.audio_channels, options.n_classes)

    def forward(self, visual: torch.Tensor, audio: torch.Tensor) -> ModelOutput:
        return ModelOutput(logits=self.head(self.scale_audio(audio - audio.mean(1, keepdim=True))))


def test_a_model_without_the_mask_gets_windows_of_one_length(tmp_path: Path) -> None:
    register("plain")(Plain)
    assert not Plain.takes_padding
    assert all(type(made(name)).takes_padding for name in MODELS)
    world = made_up(tmp_path, n_videos=30, lengths=(5, 3), n_segments=None)
    config = TrainingConfig(epochs=1, batch_size=4)
    file = fit(world.store, world.dataset, model="plain", config=config, device="cpu")
    predictions, _ = evaluate(file, world.store, world.dataset)
    assert predictions.scores.any(axis=-1).sum() == sum(predictions.durations)


def test_answers_of_a_video_do_not_depend_on_the_others(examples: Examples) -> None:
    model = made("cman").float()
    batch = make_batch(examples, [*range(6)])
    together = infer(model, batch.visual, batch.audio, 4, batch.real)
    for b in range(6):
        length = len(examples.entries[b].targets)
        single = make_batch(examples, [b])
        alone = infer(model, single.visual, single.audio, 4)
        for name, values in alone.items():
            np.testing.assert_allclose(together[name][b, :length], values[0], atol=1e-6)
            assert not together[name][b, length:].any()
