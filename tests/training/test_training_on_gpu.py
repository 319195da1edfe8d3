"""Training on a GPU: as on the CPU, and without waiting for the device in a step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from made_up import made_up
from waiting import waiting_refused

from avloc.datasets.examples import load_examples
from avloc.datasets.feed import Feed
from avloc.evaluation.evaluator import evaluate
from avloc.labels import LabelSet
from avloc.models import build
from avloc.stages.bench_training import random_examples
from avloc.training import TrainingConfig, begin, load_splits, loss_of, train_epoch
from avloc.training.fit import fit
from avloc.training.splits import with_kind_of
from avloc.training.supervision import resolved
from avloc.training.tally import Tally

pytestmark = pytest.mark.gpu
SMALL = {"width": 16, "dropout": 0.0}
EXACT = TrainingConfig(epochs=3, batch_size=8, precision="fp32")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return made_up(tmp_path_factory.mktemp("world"), n_videos=40)


@pytest.fixture(scope="module")
def on_cpu(world):
    return fit(world.store, world.dataset, options=SMALL, config=EXACT, device="cpu")


def test_a_gpu_trains_as_the_cpu_does(gpu, world, on_cpu):
    here = fit(world.store, world.dataset, options=SMALL, config=EXACT, device=gpu)
    for name in ("train_loss", "val_loss"):
        np.testing.assert_allclose(here.history[name], on_cpu.history[name], rtol=1e-3)


def test_mixed_precision_trains_nearly_so(gpu, world, on_cpu):
    mixed = replace(EXACT, precision="bf16")
    here = fit(world.store, world.dataset, options=SMALL, config=mixed, device=gpu)
    np.testing.assert_allclose(here.history["train_loss"], on_cpu.history["train_loss"], rtol=0.05)
    assert here.history["train_loss"] != on_cpu.history["train_loss"]


@pytest.mark.parametrize("supervision", ["full", "weak"])
def test_the_same_model_answers_the_same(gpu, world, supervision):
    config = replace(EXACT, supervision=supervision)
    model = fit(world.store, world.dataset, options=SMALL, config=config, device=gpu)
    here, there = (
        evaluate(model, world.store, world.dataset, device=device)[0] for device in (gpu, "cpu")
    )
    np.testing.assert_allclose(here.scores, there.scores, atol=1e-3)


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_a_held_split_gives_the_batches_of_a_streamed_one(gpu, tmp_path, batch_size):
    world = made_up(tmp_path, n_videos=12, lengths=(3, 10, 7), splits=("train",), n_segments=None)
    examples = load_examples(world.store, world.dataset, "train", window=4)
    held, streamed = Feed(examples, gpu, hold=True), Feed(examples, gpu, hold=False)
    for indices in held.order(batch_size, seed=1):
        first, second = held.batch(indices), streamed.batch(indices)
        for here, there in ((first, second), (first.truth, second.truth)):
            for name, tensor in vars(here).items():
                if isinstance(tensor, torch.Tensor):
                    assert torch.equal(tensor, getattr(there, name)), name
        assert first.visual.device.type == second.visual.device.type == gpu.type


@pytest.mark.parametrize("n_workers", [None, 0, 2], ids=["held", "streamed", "workers"])
def test_no_step_waits_for_the_device(gpu, world, monkeypatch, n_workers):
    steps_without_waiting(gpu, world, monkeypatch, EXACT, n_workers)


@pytest.mark.parametrize(
    "settings",
    [
        {"labels": "independent"},
        {"supervision": "weak", "weak_labels": "proportion"},
        {"supervision": "weak", "weak_labels": "presence"},
        {"supervision": "weak", "weak_labels": "presence", "labels": "independent"},
    ],
    ids=lambda settings: " ".join(settings.values()),
)
def test_no_step_of_another_loss_waits(gpu, world, monkeypatch, settings):
    steps_without_waiting(gpu, world, monkeypatch, replace(EXACT, **settings), 0)


def test_no_step_of_padded_windows_waits(gpu, tmp_path, monkeypatch):
    world = made_up(tmp_path, n_videos=20, lengths=(3, 10, 7), n_segments=None)
    for settings in ({}, {"supervision": "weak", "weak_labels": "presence"}):
        config = replace(EXACT, **settings)
        with monkeypatch.context() as patch:
            steps_without_waiting(gpu, world, patch, config, 0)


def steps_without_waiting(gpu, world, monkeypatch, config, n_workers):
    dataset = with_kind_of(world.dataset, config)
    data, labels = load_splits(world.store, dataset, config), dataset.labels
    torch.manual_seed(0)
    options = {"n_classes": labels.n_logits, "independent": not labels.is_exclusive}
    model = build("cman", visual_channels=12, audio_channels=6, **options).to(gpu)
    config = resolved(config, data, model, dataset)
    config = replace(config, modality_dropout=0.5, precision="auto")
    feed = Feed(data.train, gpu, hold=n_workers is None, n_workers=n_workers or 0)
    state, loss = begin(model, config), loss_of(config, labels)
    assert np.isfinite(train_epoch(state, feed, config, loss)[0])  # it loads libraries, too
    monkeypatch.setattr(Tally, "of_team", lambda self, team: (0.0, 0.0))  # waits, once an epoch
    with waiting_refused(gpu):
        train_epoch(state, feed, config, loss)


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_features_that_were_not_scaled_train_to_numbers(gpu, precision):
    """Their means drive the output gates to nearly shut, by which eq. 4's sentinel is divided."""
    config = TrainingConfig(precision=precision)
    feed = Feed(random_examples(128 if gpu.type == "cuda" else 8), gpu)
    torch.manual_seed(0)
    model = build("cman", visual_channels=2048, audio_channels=128, n_classes=29).to(gpu)
    labels = LabelSet(tuple(f"label{k}" for k in range(28)))
    state, loss = begin(model, config), loss_of(config, labels)
    for _ in range(50 if gpu.type == "cuda" else 2):  # epochs of two batches
        train_loss, _ = train_epoch(state, feed, config, loss)
        state.epoch += 1
        assert np.isfinite(train_loss)
        assert all(torch.isfinite(p).all() for p in model.parameters())
