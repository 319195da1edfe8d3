"""Training: deterministic, chosen on validation, refusing what cannot be."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from made_up import features_of, made_up

from avloc.artifacts import read_model, write_model
from avloc.artifacts.store_notes import notes_folder
from avloc.datasets.examples import Example, Examples, load_examples
from avloc.datasets.feed import Feed
from avloc.datasets.targets import Targets
from avloc.errors import AvlocError, DatasetError, UnknownNameError, UsageError
from avloc.evaluation.evaluator import evaluate
from avloc.models import build, restore
from avloc.options import options_from
from avloc.training import TrainingConfig, begin, load_splits, loss_of, statistics
from avloc.training.fit import fit
from avloc.training.loop import record
from avloc.training.statistics import channel_statistics, fit_scaling
from avloc.training.validation import validate

SMALL = {"width": 16}
QUICK = TrainingConfig(epochs=4, batch_size=8)


def test_two_runs_of_one_seed_are_equal_and_another_seed_differs(tmp_path):
    world = made_up(tmp_path)
    torch.manual_seed(11)
    first = fit(world.store, world.dataset, options=SMALL, config=QUICK, device="cpu")
    torch.manual_seed(99)  # the caller's random state has no effect
    second = fit(world.store, world.dataset, options=SMALL, config=QUICK, device="cpu")
    for name, tensor in first.weights.items():
        np.testing.assert_array_equal(tensor, second.weights[name])
    timeless = set(first.history) - {"seconds"}
    assert {n: first.history[n] for n in timeless} == {n: second.history[n] for n in timeless}
    other = fit(
        world.store, world.dataset, options=SMALL, config=replace(QUICK, seed=1), device="cpu"
    )
    assert any((other.weights[n] != t).any() for n, t in first.weights.items())


def test_the_callers_random_state_is_left_alone(tmp_path):
    world = made_up(tmp_path)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(world.store, world.dataset, options=SMALL, config=QUICK, device="cpu")
    assert torch.equal(torch.rand(3), expected)


def test_the_kept_weights_are_those_of_the_best_validation_epoch(tmp_path):
    world = made_up(tmp_path / "world", noise=1.0)
    config = TrainingConfig(epochs=10, batch_size=8, learning_rate=1e-2, milestones=())
    model = fit(world.store, world.dataset, options=SMALL, config=config, device="cpu")
    accuracies, losses = model.history["val_accuracy"], model.history["val_loss"]
    best = max(range(10), key=lambda k: (accuracies[k], -losses[k]))
    assert model.metrics["epoch"] == best + 1
    assert model.metrics["val_accuracy"] == accuracies[best]
    write_model(tmp_path / "model.h5", model)
    again = read_model(tmp_path / "model.h5")
    _, evaluation = evaluate(again, world.store, world.dataset, "val", device="cpu")
    assert evaluation.segment_accuracy == pytest.approx(accuracies[best])
    examples = load_examples(world.store, world.dataset, "val")
    feed = Feed(examples, torch.device("cpu"))
    assert validate(restore(again), feed, 3, loss_of(config, again.labels))[0] == pytest.approx(
        losses[best], rel=1e-4
    )


@pytest.mark.slow
def test_it_learns_what_is_there_to_learn(tmp_path):
    world = made_up(tmp_path, n_videos=40)
    config = TrainingConfig(epochs=20, batch_size=4, learning_rate=5e-3)
    model = fit(world.store, world.dataset, options=SMALL, config=config, device="cpu")
    _, evaluation = evaluate(model, world.store, world.dataset, "test", device="cpu")
    assert evaluation.segment_accuracy > evaluation.class_oracle_accuracy
    assert evaluation.segment_accuracy > 0.85
    losses = model.history["train_loss"]
    assert losses[-1] < 0.5 * losses[0]


def test_the_model_file_says_what_it_is(tmp_path):
    world = made_up(tmp_path)
    config = TrainingConfig(epochs=3, milestones=(1, 2), seed=7)
    steps = []
    model = fit(
        world.store,
        world.dataset,
        options=SMALL,
        config=config,
        device="cpu",
        progress=lambda *x: steps.append(x),
    )
    assert (model.name, model.labels) == ("cman", world.dataset.labels)
    assert (model.fingerprint, model.spec) == (world.store.fingerprint, world.store.spec)
    assert (model.n_segments, model.segment_seconds, model.seed) == (10, 1.0, 7)
    assert model.data["selection"] == "val split"
    assert (model.data["n_train_rows"], model.data["n_val_rows"]) == (12, 4)
    counts = Counter()
    for row in world.dataset.rows:
        if row.split == "train":
            counts[row.label] += row.end - row.start
            counts["background"] += 10 - (row.end - row.start)
    assert model.data["majority_label"] == counts.most_common(1)[0][0]
    assert model.history["learning_rate"] == [1e-3, 5e-4, 2.5e-4]
    assert options_from(TrainingConfig, model.training) == replace(config, batch_size=64)
    assert [done for done, total, _ in steps if total == 3] == [1, 2, 3]
    columns = {"epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy"}
    assert set(model.history) == columns | {"learning_rate", "seconds"}
    assert {len(column) for column in model.history.values()} == {3}


def test_without_validation_rows_a_tenth_of_the_videos_is_held_out(tmp_path):
    world = made_up(tmp_path, n_videos=20, splits=("train",))
    doubled = replace(world.dataset, rows=world.dataset.rows * 2)  # two rows a video
    one = fit(world.store, doubled, options=SMALL, config=QUICK, device="cpu")
    assert one.data["selection"] == "held out"
    assert (one.data["n_train_rows"], one.data["n_val_rows"]) == (36, 4)
    held_out = one.data["held_out_videos"]
    assert len(held_out) == 2
    again = fit(world.store, doubled, options=SMALL, config=QUICK, device="cpu")
    assert again.data["held_out_videos"] == held_out
    other = replace(QUICK, seed=1, epochs=1)
    of_seed = fit(world.store, doubled, options=SMALL, config=other, device="cpu")
    assert of_seed.data["held_out_videos"] == held_out  # seeds differ in the training alone
    drawn = load_splits(world.store, doubled, replace(QUICK, hold_out_seed=1))
    assert set(drawn.val.video_ids) != set(held_out)
    assert {v.video_id for v in drawn.val.videos} == set(drawn.val.video_ids)
    assert {v.video_id for v in drawn.train.videos} == set(drawn.train.video_ids)
    assert not set(drawn.train.video_ids) & set(drawn.val.video_ids)
    for part in (drawn.train, drawn.val):
        for entry, row in ((e, doubled.rows[e.row]) for e in part.entries):
            assert part.videos[entry.video].video_id == row.video_id


def test_a_data_set_without_splits_is_trained_on_as_a_whole(tmp_path):
    world = made_up(tmp_path, n_videos=10, splits=("",))
    model = fit(world.store, world.dataset, options=SMALL, config=QUICK, device="cpu")
    assert (model.data["n_train_rows"], model.data["n_val_rows"]) == (9, 1)


def test_validation_rows_without_features_are_refused(tmp_path):
    world = made_up(tmp_path)
    for row in world.dataset.rows:
        if row.split == "val":
            world.store.path_of(row.video_id).unlink()
    with pytest.raises(DatasetError, match="val split"):
        fit(world.store, world.dataset, options=SMALL, config=QUICK, device="cpu")


def test_some_missing_training_videos_are_counted(tmp_path):
    world = made_up(tmp_path)
    world.store.path_of("video000").unlink()
    model = fit(world.store, world.dataset, options=SMALL, config=QUICK, device="cpu")
    assert model.data["n_train_missing"] == 1
    assert model.data["n_train_rows"] == 11


def test_one_video_cannot_be_trained_and_validated_on(tmp_path):
    world = made_up(tmp_path, n_videos=1, splits=("train",))
    with pytest.raises(DatasetError, match="1 video"):
        fit(world.store, world.dataset, config=QUICK, device="cpu")


def test_a_modality_that_no_video_has_is_refused_unless_unused(tmp_path):
    world = made_up(tmp_path, n_videos=4, splits=("train", "val"))
    for video_id in world.store.video_ids():
        audio = world.store.read(video_id).audio
        world.store.write(features_of(video_id, None, audio))
    with pytest.raises(DatasetError, match="has picture"):
        fit(world.store, world.dataset, config=QUICK, device="cpu")
    deaf = SMALL | {"modalities": "audio", "where": False, "which": False}
    fit(world.store, world.dataset, options=deaf, config=QUICK, device="cpu")


def test_patience_ends_training(tmp_path):
    world = made_up(tmp_path)
    config = TrainingConfig(epochs=40, learning_rate=1e-8, patience=3)
    model = fit(world.store, world.dataset, options=SMALL, config=config, device="cpu")
    assert model.history["epoch"][-1] == model.metrics["epoch"] + 3 < 40


def test_a_loss_that_is_no_number_is_refused(tmp_path):
    world = made_up(tmp_path)
    features = world.store.read("video000")
    world.store.write(features_of("video000", features.visual, features.audio * np.float32(1e37)))
    config = replace(QUICK, standardize=False)
    with pytest.raises(AvlocError, match="the loss is nan in epoch 1"):
        fit(world.store, world.dataset, options=SMALL, config=config, device="cpu")


def test_names_and_values_that_cannot_be_are_refused(tmp_path):
    world = made_up(tmp_path, n_videos=5)
    with pytest.raises(UnknownNameError, match="cmam"):
        fit(world.store, world.dataset, model="cmam", config=QUICK, device="cpu")
    with pytest.raises(UnknownNameError, match="widht"):
        fit(world.store, world.dataset, options={"widht": 3}, config=QUICK, device="cpu")
    with pytest.raises(UsageError, match="epochs is 0"):
        TrainingConfig(epochs=0)
    with pytest.raises(UnknownNameError, match="supervision"):
        TrainingConfig(supervision="weakly")


def test_config_from_text():
    given = {"milestones": "5,15", "learning_rate": "3e-4", "standardize": "no", "epochs": "7"}
    config = options_from(TrainingConfig, given)
    assert config == TrainingConfig(
        milestones=(5, 15), learning_rate=3e-4, standardize=False, epochs=7
    )


def test_scaling_takes_the_statistics_of_valid_training_segments(tmp_path):
    world = made_up(tmp_path, n_videos=5, splits=("train",))
    loud = world.store.read("video000")
    world.store.write(features_of("video000", None, loud.audio * 7 + 2))
    examples = load_examples(world.store, world.dataset, "train")
    model = build("cman", visual_channels=12, audio_channels=6, n_classes=3)
    fit_scaling(model, channel_statistics(examples))
    audio = np.concatenate([v.audio for v in examples.videos])
    maps = [np.asarray(v.visual).reshape(-1, 12) for v in examples.videos if v.visual is not None]
    visual = np.concatenate(maps).astype(np.float64)
    for scaling, values in ((model.scale_audio, audio), (model.scale_visual, visual)):
        np.testing.assert_allclose(scaling.mean, values.mean(0), atol=1e-5)
        np.testing.assert_allclose(scaling.scale, values.std(0), rtol=1e-4)


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_statistics_are_those_of_double_precision(offset):
    """Also far from 0, over windows that overlap and segments that are not valid."""
    draw = np.random.default_rng(0)
    videos, entries = [], []
    for k in range(40):
        length = int(draw.integers(3, 30))
        visual = draw.gamma(0.3, size=(length, 4, 4, 64)) + offset
        features = features_of(f"v{k}", visual, draw.normal(offset, 2.0, (length, 16)))
        valid = draw.random(length) < 0.8
        videos.append(replace(features, visual_valid=valid))
        targets = np.zeros(min(10, length), dtype=np.int64)
        entries += [
            Example(k, k, first, Targets.empty(len(targets), 1), np.ones(1, bool))
            for first in (0, length - len(targets))
        ]
    examples = Examples(tuple(videos), tuple(entries), (), (4, 4, 64), 16)
    found = channel_statistics(examples)
    for name, moments in (("visual", found.visual), ("audio", found.audio)):
        parts = []
        for entry in entries:
            window = slice(entry.first, entry.first + len(entry.targets))
            valid = getattr(videos[entry.video], f"{name}_valid")[window]
            values = getattr(videos[entry.video], name)[window][valid]
            parts.append(values.reshape(-1, values.shape[-1]).astype(np.float64))
        exact = np.concatenate(parts)
        mean, deviation = moments
        assert mean.dtype == deviation.dtype == torch.float32
        np.testing.assert_allclose(mean, exact.mean(0), rtol=1e-6, atol=1e-6 * exact.std())
        np.testing.assert_allclose(deviation, exact.std(0), rtol=1e-5)


def test_statistics_are_measured_once_a_store_and_again_after_a_change(tmp_path, monkeypatch):
    cpu, measured, measure = torch.device("cpu"), [], statistics.channel_statistics
    monkeypatch.setattr(
        statistics, "channel_statistics", lambda *of: measured.append(1) or measure(*of)
    )
    world = made_up(tmp_path, n_videos=5)

    def of_store(config=QUICK):
        return load_splits(world.store, world.dataset, config).statistics(cpu)

    first, again = of_store(), of_store()
    assert len(measured) == 1
    for name in ("visual", "audio"):
        assert all(map(torch.equal, getattr(first, name), getattr(again, name)))
    (note,) = notes_folder(world.store.root).glob("statistics-*")
    note.write_bytes(note.read_bytes()[:100])
    assert torch.equal(of_store().visual[0], first.visual[0])
    assert len(measured) == 2
    of_store(replace(QUICK, window=3))  # has no effect on a fixed grid
    assert len(measured) == 2
    other = world.store.read("video000")
    world.store.write(replace(other, visual=other.visual + np.float16(1)))
    assert (of_store().visual[0] > first.visual[0]).all()
    assert len(measured) == 3


def test_a_modality_that_no_video_has_has_no_statistics(tmp_path):
    data = load_splits(*vars(made_up(tmp_path, n_videos=5)).values(), QUICK)
    none = replace(data.train, videos=tuple(replace(v, visual=None) for v in data.train.videos))
    assert channel_statistics(none).visual is None


def test_equal_accuracy_is_decided_by_loss_then_by_the_earlier_epoch():
    model = build("cman", visual_channels=2, audio_channels=2, n_classes=2, width=2)
    state = begin(model, TrainingConfig())
    for epoch, (accuracy, loss) in enumerate([(0.5, 1.0), (0.5, 0.9), (0.5, 0.9), (0.4, 0.1)]):
        record(state, {"epoch": epoch, "val_accuracy": accuracy, "val_loss": loss}, "segments")
    assert state.metrics["epoch"] == 1


def test_tau_learns_at_its_multiple_of_the_rate(tmp_path):
    """Adam's first step moves every weight by its rate, whatever the gradient's size."""
    world = made_up(tmp_path)
    config = TrainingConfig(epochs=1, learning_rate=1e-3, modality_dropout=0.0)
    weights = {
        factor: fit(
            world.store,
            world.dataset,
            options={"width": 16, "dropout": 0.0},
            config=replace(config, tau_rate_factor=factor),
            device="cpu",
        ).weights
        for factor in (0.0, 1.0, 30.0)
    }
    (tau,) = [name for name in weights[1.0] if name.endswith("log_temperature")]
    start = weights[0.0][tau]
    assert abs(weights[1.0][tau] - start) == pytest.approx(1e-3, rel=1e-2)
    assert abs(weights[30.0][tau] - start) == pytest.approx(30e-3, rel=1e-2)
    for name in set(weights[1.0]) - {tau}:
        np.testing.assert_array_equal(weights[1.0][name], weights[30.0][name])


def test_full_supervision_passes_over_labels_without_times(tmp_path):
    """Alone in its batch or not, such a video changes nothing."""
    world = made_up(tmp_path)
    kept, *others = [row for row in world.dataset.rows if row.split == "train"]
    validation = [row for row in world.dataset.rows if row.split == "val"]
    untimed = [replace(row, start=0, end=0, is_whole_video=True) for row in others]
    config = TrainingConfig(epochs=3, modality_dropout=0.0, standardize=False, batch_size=1)
    run = {"options": {"width": 16, "dropout": 0.0}, "config": config, "device": "cpu"}
    alone, among = (
        fit(world.store, replace(world.dataset, rows=tuple(rows)), **run)
        for rows in ([kept, *validation], [kept, *untimed, *validation])
    )
    for name, weights in alone.weights.items():
        np.testing.assert_array_equal(weights, among.weights[name])
    assert alone.history["train_loss"] == among.history["train_loss"]
