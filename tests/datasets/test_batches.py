"""Examples and batches: every row meets its own video's features and its own targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from made_up import SPEC, features_of, made_up

from avloc.datasets import Row
from avloc.datasets.batch_order import batch_indices
from avloc.datasets.batches import Batch, make_batch
from avloc.datasets.examples import Examples, load_examples
from avloc.errors import DatasetError, UnknownNameError
from avloc.labels import IGNORED
from avloc.timeline import Grid


def batches(examples: Examples, size: int, seed: int | None = None) -> Iterator[Batch]:
    for indices in batch_indices(examples, size, seed):
        yield make_batch(examples, indices)


def test_rows_meet_their_videos_and_targets(tmp_path):
    world = made_up(tmp_path, n_videos=7, splits=("train",))
    examples = load_examples(world.store, world.dataset, "train")
    seen = 0
    for indices in batch_indices(examples, 3):
        batch = make_batch(examples, indices)
        for b, index in enumerate(indices):
            row = world.dataset.rows[examples.entries[index].row]
            features = world.store.read(row.video_id)
            np.testing.assert_array_equal(batch.visual[b], features.visual)
            np.testing.assert_array_equal(batch.audio[b], features.audio)
            expected = world.dataset.targets(row, Grid(10))
            np.testing.assert_array_equal(batch.truth.targets[b], expected.events)
            np.testing.assert_array_equal(batch.truth.classes[b], expected.classes)
            present = [name == row.label and row.end > row.start for name in ("bell", "bark")]
            assert batch.truth.present[b].tolist() == present
            seen += 1
    assert seen == 7
    assert examples.video_ids == tuple(row.video_id for row in world.dataset.rows)


def test_two_rows_of_one_video_share_its_features_and_keep_their_labels(tmp_path):
    world = made_up(tmp_path, n_videos=1, splits=("train",))
    rows = (Row("video000", "bell", 0, 4, "train"), Row("video000", "bark", 6, 10, "train"))
    examples = load_examples(world.store, replace(world.dataset, rows=rows), "train")
    assert len(examples.videos) == 1
    assert [entry.targets.classes.tolist() for entry in examples.entries] == [
        [0] * 4 + [2] * 6,
        [2] * 6 + [1] * 4,
    ]


def test_a_missing_stream_is_zeros_and_never_valid(tmp_path):
    world = made_up(tmp_path, n_videos=3, splits=("train",))
    loud = world.store.read("video000")
    world.store.write(features_of("video000", None, loud.audio))
    world.store.write(features_of("video001", loud.visual, None))
    batch = next(batches(load_examples(world.store, world.dataset, "train"), 3))
    assert not batch.visual[0].any()
    assert not batch.visual_valid[0].any()
    assert batch.audio_valid[0].all()
    assert not batch.audio[1].any()
    assert not batch.audio_valid[1].any()
    assert batch.visual_valid[1:].all()


def test_streams_that_no_video_has_take_the_models_channels(tmp_path):
    world = made_up(tmp_path, n_videos=1, splits=("train",))
    loud = world.store.read("video000")
    world.store.write(features_of("video000", None, loud.audio))
    examples = load_examples(world.store, world.dataset, "train", channels=(320, 128))
    batch = next(batches(examples, 1))
    assert batch.visual.shape == (1, 10, 1, 1, 320)
    assert batch.audio.shape == (1, 10, 6)


@pytest.mark.parametrize(("length", "n_valid"), [(7, 7), (13, 10)])
def test_a_data_sets_own_grid_pads_and_cuts(tmp_path, length, n_valid):
    world = made_up(tmp_path, n_videos=1, lengths=(length,), splits=("train",))
    batch = next(batches(load_examples(world.store, world.dataset, "train"), 1))
    features = world.store.read("video000")
    assert batch.visual.shape[1] == batch.truth.targets.shape[1] == 10
    np.testing.assert_array_equal(batch.audio[0, :n_valid], features.audio[:n_valid])
    assert not batch.audio[0, n_valid:].any()
    assert batch.visual_valid[0].tolist() == [True] * n_valid + [False] * (10 - n_valid)
    assert batch.truth.scored.all()  # padding counts, as the protocol has it


def test_without_a_grid_windows_cover_every_segment_once(tmp_path):
    world = made_up(tmp_path, n_videos=6, lengths=(23, 4, 10), splits=("train",), n_segments=None)
    examples = load_examples(world.store, world.dataset, "train", window=10)
    assert examples.n_segments == 10
    for number, row in enumerate(world.dataset.rows):
        length = world.store.read(row.video_id).n_segments
        scored = np.full(length, IGNORED)
        for entry in (entry for entry in examples.entries if entry.row == number):
            assert len(entry.targets) == min(10, length)
            own = slice(entry.first, entry.first + len(entry.targets))
            fresh = entry.targets.scored
            assert (scored[own][fresh] == IGNORED).all()
            scored[own] = np.where(fresh, entry.targets.classes, scored[own])
        np.testing.assert_array_equal(scored, world.dataset.targets(row, Grid(length)).classes)
    for indices in batch_indices(examples, 4, seed=1):
        batch = make_batch(examples, indices)
        lengths = [len(examples.entries[index].targets) for index in indices]
        for valid in (batch.visual_valid, batch.audio_valid):
            assert valid.sum(dim=1).tolist() == lengths
        assert batch.truth.lengths.tolist() == lengths
        assert not batch.audio[~batch.audio_valid].any()
        assert not (batch.truth.scored & ~batch.audio_valid).any()
    for batch in (make_batch(examples, i) for i in batch_indices(examples, 4, one_length=True)):
        assert batch.real is None
        assert batch.visual_valid.all()  # nothing is padded


def test_shuffling_is_a_permutation_set_by_the_seed(tmp_path):
    world = made_up(tmp_path, n_videos=9, lengths=(10, 6), splits=("train",), n_segments=None)
    examples = load_examples(world.store, world.dataset, "train")

    def order(seed):
        return [index for indices in batch_indices(examples, 4, seed) for index in indices]

    assert sorted(order((0, 1))) == list(range(9))
    assert order((0, 1)) == order((0, 1))
    assert order((0, 1)) != order((0, 2))
    assert sorted(order(None)) == list(range(9))


def test_on_a_device_features_are_single_precision(tmp_path):
    world = made_up(tmp_path, n_videos=1, splits=("train",))
    batch = next(batches(load_examples(world.store, world.dataset, "train"), 1))
    assert batch.visual.dtype == torch.float16
    placed = batch.to(torch.device("cpu"))
    assert placed.visual.dtype == placed.audio.dtype == torch.float32


def test_missing_and_damaged_features_are_counted(tmp_path):
    world = made_up(tmp_path, n_videos=4, splits=("train",))
    world.store.path_of("video001").unlink()
    world.store.path_of("video002").write_bytes(b"no features")
    examples = load_examples(world.store, world.dataset, "train")
    assert examples.missing == ("video001", "video002")
    assert examples.video_ids == ("video000", "video003")


def test_what_cannot_be_loaded_is_refused_in_words(tmp_path):
    world = made_up(tmp_path, n_videos=4, splits=("train",))
    with pytest.raises(DatasetError, match="test split") as caught:
        load_examples(world.store, world.dataset, "test")
    assert "train" in caught.value.hint
    with pytest.raises(UnknownNameError, match="tset"):
        load_examples(world.store, world.dataset, "tset")
    empty = type(world.store).create(tmp_path / "empty", SPEC)
    with pytest.raises(DatasetError, match="none of the 4 videos") as caught:
        load_examples(empty, world.dataset, "train")
    assert "avloc extract" in caught.value.hint


def test_progress_counts_videos(tmp_path):
    world = made_up(tmp_path, n_videos=3, splits=("train",))
    steps = []
    load_examples(world.store, world.dataset, "train", progress=lambda *x: steps.append(x))
    assert steps == [(1, 3, "video000"), (2, 3, "video001"), (3, 3, "video002")]


def test_a_hidden_modality_is_as_one_that_a_video_lacks(tmp_path):
    world = made_up(tmp_path, n_videos=5)
    lacking = features_of("video000", None, world.store.read("video000").audio)
    examples = load_examples(world.store, world.dataset, "train")
    hidden = next(batches(examples, 8))
    first, second = hidden.visual[0].clone(), hidden.visual[1].clone()
    hidden.hide("visual", torch.tensor([True, *[False] * (len(hidden.audio) - 1)]))
    world.store.write(lacking)
    truly = next(batches(load_examples(world.store, world.dataset, "train"), 8))
    assert first.any()
    assert torch.equal(hidden.visual[0], truly.visual[0])
    assert torch.equal(hidden.visual_valid[0], truly.visual_valid[0])
    assert torch.equal(hidden.visual[1], second)
    assert torch.equal(hidden.audio, truly.audio)
    hidden.hide("audio")
    assert not hidden.audio.any()
    assert not hidden.audio_valid.any()


def test_events_of_a_window_with_a_hidden_modality_are_those_of_the_other(tmp_path):
    world = made_up(tmp_path, n_videos=5)
    batch = next(batches(load_examples(world.store, world.dataset, "train"), 8))
    truth = batch.truth
    draw = torch.Generator().manual_seed(0)
    for tensor in (truth.heard, truth.seen):
        tensor.copy_(torch.rand(tensor.shape, generator=draw) < 0.5)
    truth.targets.copy_(truth.heard | truth.seen)
    heard, seen = truth.heard.clone(), truth.seen.clone()
    dark = torch.tensor([True, *[False] * (len(heard) - 1)])
    batch.hide("visual", dark)
    batch.hide("audio", dark.roll(1))
    assert torch.equal(truth.targets[0], heard[0])
    assert torch.equal(truth.targets[1], seen[1])
    assert torch.equal(truth.targets[2:], (heard | seen)[2:])
    assert torch.equal(truth.heard[0], heard[0])
    assert torch.equal(truth.seen[1], seen[1])
    assert not truth.seen[0].any()
    assert not truth.heard[1].any()
