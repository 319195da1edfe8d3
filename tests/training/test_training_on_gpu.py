"""Training on a GPU: as on the CPU, and without waiting for the device in a step."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from made_up import made_up
from waiting import waits_counted

from avloc.datasets.batches import Feed
from avloc.datasets.examples import load_examples
from avloc.evaluation.evaluator import evaluate
from avloc.models import build
from avloc.training import TrainingConfig, begin, loss_of, train_epoch
from avloc.training.fit import fit

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
        here, there = held.batch(indices), streamed.batch(indices)
        for field in fields(here):
            first, second = getattr(here, field.name), getattr(there, field.name)
            if isinstance(first, torch.Tensor):
                assert first.device.type == gpu.type
                assert torch.equal(first, second), field.name


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize("supervision", ["full", "weak"])
def test_no_step_waits_for_the_device(gpu, world, supervision, hold):
    config = replace(EXACT, supervision=supervision, precision="auto")
    feed = Feed(load_examples(world.store, world.dataset, "train"), gpu, hold=hold)
    torch.manual_seed(0)
    model = build("cman", visual_channels=12, audio_channels=6, n_classes=3).to(gpu)
    state, loss = begin(model, config), loss_of(config)
    train_epoch(state, feed, config, loss)
    with waits_counted(gpu) as of_few:
        train_epoch(state, feed, replace(config, batch_size=12), loss)  # two steps
    with waits_counted(gpu) as of_many:
        train_epoch(state, feed, replace(config, batch_size=3), loss)  # eight
    assert len(of_many) == len(of_few), "\n".join(sorted(set(of_many)))
