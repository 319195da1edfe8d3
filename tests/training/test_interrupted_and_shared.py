"""Training killed and resumed, and training shared by several processes."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from format1_files import write_old_features
from made_up import made_up
from trained_process import CONFIG, OPTIONS, Trainings

from avloc.artifacts import ModelFile, read_model, write_model
from avloc.datasets.examples import load_examples
from avloc.datasets.feed import Feed
from avloc.errors import ArtifactError, DatasetError
from avloc.training.fit import fit


@pytest.fixture(scope="module")
def trainings():
    with Trainings() as trainings:
        yield trainings


def assert_same(one: ModelFile, other: ModelFile) -> None:
    for name, tensor in one.weights.items():
        np.testing.assert_array_equal(tensor, other.weights[name])
    for name in set(one.history) - {"seconds"}:
        assert one.history[name] == other.history[name]
    assert one.metrics == other.metrics


@pytest.mark.slow
def test_killed_and_resumed_it_ends_with_the_same_bits(tmp_path, trainings):
    made_up(tmp_path / "world", noise=1.0)
    trainings.run(tmp_path / "world", tmp_path / "whole.h5")
    (killed,) = trainings.begin(tmp_path / "world", tmp_path / "killed.h5", seconds=60)
    trainings.wait_for_an_epoch()
    os.kill(killed, signal.SIGKILL)
    assert trainings.end() == [signal.SIGKILL]
    assert not (tmp_path / "killed.h5").exists()
    assert len(read_model(tmp_path / "killed.unfinished.h5").history["epoch"]) == 1
    trainings.run(tmp_path / "world", tmp_path / "killed.h5", resume=True)
    whole, resumed = read_model(tmp_path / "whole.h5"), read_model(tmp_path / "killed.h5")
    assert len(whole.history["epoch"]) == CONFIG.epochs
    assert_same(whole, resumed)
    assert not resumed.resume


def test_every_epoch_can_be_gone_on_from(tmp_path):
    world = made_up(tmp_path, noise=1.0)
    run = {"options": OPTIONS, "config": CONFIG, "device": "cpu"}
    kept: list[ModelFile] = []
    whole = fit(world.store, world.dataset, **run, keep=kept.append)
    assert [len(file.history["epoch"]) for file in kept] == list(range(1, CONFIG.epochs))
    for file in kept:
        write_model(tmp_path / "unfinished.h5", file)
        again = read_model(tmp_path / "unfinished.h5")
        assert_same(whole, fit(world.store, world.dataset, **run, unfinished=again))


@pytest.mark.parametrize("weak_labels", ["proportion", "presence"])
def test_a_weak_training_is_gone_on_with_to_the_same_bits(tmp_path, weak_labels):
    """Isolated segments, splices, and hidden modalities follow from the epoch's number."""
    world = made_up(tmp_path, noise=1.0)
    weak = {"supervision": "weak", "weak_labels": weak_labels, "tau_rate_factor": 3.0}
    run = {"options": OPTIONS, "config": replace(CONFIG, **weak, epochs=5), "device": "cpu"}
    kept: list[ModelFile] = []
    whole = fit(world.store, world.dataset, **run, keep=kept.append)
    write_model(tmp_path / "unfinished.h5", kept[2])
    again = read_model(tmp_path / "unfinished.h5")
    assert_same(whole, fit(world.store, world.dataset, **run, unfinished=again))
    assert len(whole.history["val_error"]) == 5
    with pytest.raises(ArtifactError, match=r"differs in .*weak_labels"):
        other = {"proportion": "presence", "presence": "proportion"}[weak_labels]
        changed = replace(run["config"], weak_labels=other)
        fit(world.store, world.dataset, **run | {"config": changed}, unfinished=again)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"options": {"width": 18}}, "width was 16 and is 18"),
        ({"config": replace(CONFIG, seed=3)}, "seed was 0 and is 3"),
        ({"config": replace(CONFIG, learning_rate=1.0)}, "learning_rate"),
        ({"model": "avel"}, "model was 'cman' and is 'avel'"),
    ],
)
def test_another_training_is_not_gone_on_with(tmp_path, change, says):
    world = made_up(tmp_path)
    run = {"options": OPTIONS, "config": CONFIG, "device": "cpu"}
    kept: list[ModelFile] = []
    fit(world.store, world.dataset, **run, keep=kept.append)
    with pytest.raises(ArtifactError, match=says):
        fit(world.store, world.dataset, **run | change, unfinished=kept[-1])


def test_a_finished_training_and_a_damaged_one_are_refused(tmp_path):
    world = made_up(tmp_path)
    run = {"options": OPTIONS, "config": CONFIG, "device": "cpu"}
    kept: list[ModelFile] = []
    model = fit(world.store, world.dataset, **run, keep=kept.append)
    with pytest.raises(ArtifactError, match="is finished"):
        fit(world.store, world.dataset, **run, unfinished=model)
    for name in ("weights.head.0.bias", "adam.exp_avg.head.0.bias"):
        broken = {**kept[0].resume, name: np.zeros(2, np.float32)}
        with pytest.raises(ArtifactError, match="cannot be continued"):
            fit(world.store, world.dataset, **run, unfinished=replace(kept[0], resume=broken))


def test_a_file_of_an_earlier_version_is_gone_on_with(tmp_path):
    """It holds a random state, and lacks what was not an option then."""
    world = made_up(tmp_path, noise=1.0)
    run = {"options": OPTIONS, "config": CONFIG, "device": "cpu"}
    kept: list[ModelFile] = []
    whole = fit(world.store, world.dataset, **run, keep=kept.append)
    random = {"random.cpu": torch.get_rng_state().numpy()}
    training = {n: v for n, v in kept[2].training.items() if n != "hold_out_seed"}
    older = replace(kept[2], resume={**kept[2].resume, **random}, training=training)
    assert_same(whole, fit(world.store, world.dataset, **run, unfinished=older))


def test_more_epochs_than_were_planned_may_follow(tmp_path):
    world = made_up(tmp_path, noise=1.0)
    run = {"options": OPTIONS, "device": "cpu"}
    kept: list[ModelFile] = []
    fit(world.store, world.dataset, **run, config=replace(CONFIG, epochs=3), keep=kept.append)
    longer = fit(world.store, world.dataset, **run, config=CONFIG, unfinished=kept[-1])
    assert_same(fit(world.store, world.dataset, **run, config=CONFIG), longer)


@pytest.mark.slow
def test_two_processes_resumed_draw_the_dropout_they_would_have_drawn(tmp_path, trainings):
    """Each its own: resumed with the leader's random state, both would drop the same."""
    made_up(tmp_path / "world", n_videos=22, noise=1.0)
    trainings.run(tmp_path / "world", tmp_path / "two.h5", team=2)
    whole = read_model(tmp_path / "two.h5")
    unfinished = read_model(tmp_path / "two.unfinished.h5")
    assert len(unfinished.history["epoch"]) == CONFIG.epochs - 1
    trainings.run(tmp_path / "world", tmp_path / "two.h5", team=2, resume=True)
    assert_same(whole, read_model(tmp_path / "two.h5"))


@pytest.mark.slow
def test_two_processes_together_train_what_one_would(tmp_path, trainings):
    """13 rows in batches of 5: the last has 3, and one process has more than the other."""
    made_up(tmp_path / "world", n_videos=22, noise=1.0)
    trainings.run(tmp_path / "world", tmp_path / "one.h5", dropout=0.0)
    trainings.run(tmp_path / "world", tmp_path / "two.h5", team=2, dropout=0.0)
    one, two = read_model(tmp_path / "one.h5"), read_model(tmp_path / "two.h5")
    assert two.metrics["epoch"] == one.metrics["epoch"]
    for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(two.history[name], one.history[name], rtol=1e-3)
    for name, tensor in one.weights.items():
        np.testing.assert_allclose(two.weights[name], tensor, atol=1e-4)


def test_held_examples_are_the_same_as_those_from_memory(tmp_path):
    world = made_up(tmp_path, lengths=(10, 7, 12), n_videos=30)
    store = world.store
    silent, blind = store.read("video000"), store.read("video001")
    store.write(replace(silent, audio=None, audio_valid=~silent.audio_valid))
    store.write(replace(blind, visual=None, visual_valid=~blind.visual_valid))
    for dataset in (world.dataset, replace(world.dataset, n_segments=None)):
        examples = load_examples(store, dataset, "train", window=6)
        here, held = (Feed(examples, torch.device("cpu"), hold=hold) for hold in (False, True))
        for places in here.order(4, seed=1):
            one, other = here.batch(places), held.batch(places)
            for name in ("visual", "audio", "visual_valid", "audio_valid"):
                assert torch.equal(getattr(one, name), getattr(other, name)), name
            for name in vars(one.truth):
                tensors = getattr(one.truth, name), getattr(other.truth, name)
                assert tensors == (None, None) or torch.equal(*tensors), name


def test_mixed_precision_trains_and_leaves_single_precision_weights(tmp_path):
    world = made_up(tmp_path)
    config = replace(CONFIG, precision="bf16", epochs=3)
    model = fit(world.store, world.dataset, options=OPTIONS, config=config, device="cpu")
    exact = fit(
        world.store, world.dataset, options=OPTIONS, config=replace(CONFIG, epochs=3), device="cpu"
    )
    assert all(w.dtype == np.float32 for w in model.weights.values())
    assert model.history["train_loss"] != exact.history["train_loss"]
    np.testing.assert_allclose(model.history["train_loss"], exact.history["train_loss"], rtol=0.05)


def test_an_epoch_chosen_on_test_is_said_to_be(tmp_path):
    world = made_up(tmp_path)
    config = replace(CONFIG, epochs=2, select="test")
    model = fit(world.store, world.dataset, options=OPTIONS, config=config, device="cpu")
    assert model.data["selection"] == "TEST split"


def test_features_that_are_nan_are_left_out_and_named(tmp_path):
    world = made_up(tmp_path)
    path = world.store.path_of("video001")
    odd = world.store.read("video001")
    visual = np.array(odd.visual)
    visual[3, 1, 1, 0] = np.nan
    write_old_features(path, replace(odd, visual=visual))  # today's writer would refuse it
    model = fit(
        world.store, world.dataset, options=OPTIONS, config=replace(CONFIG, epochs=1), device="cpu"
    )
    assert model.data["n_unreadable"] == 1
    assert str(path) in model.data["first_unreadable"]
    assert "visual of the video 'video001' holds NaN" in model.data["first_unreadable"]
    assert all(np.isfinite(w).all() for w in model.weights.values())


def test_features_that_cannot_be_read_are_counted_and_reported(tmp_path):
    world = made_up(tmp_path)
    whole = world.store.path_of("video000").read_bytes()
    world.store.path_of("video000").write_bytes(whole[: len(whole) // 2])
    config = replace(CONFIG, epochs=1)
    model = fit(world.store, world.dataset, options=OPTIONS, config=config, device="cpu")
    assert (model.data["n_train_missing"], model.data["n_unreadable"]) == (1, 1)
    for video_id in world.store.video_ids():
        world.store.path_of(video_id).write_bytes(b"no features")
    with pytest.raises(DatasetError, match="cannot be read"):
        fit(world.store, world.dataset, options=OPTIONS, config=config, device="cpu")
