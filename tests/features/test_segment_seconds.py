"""Segments of half a second, from the videos over training to events."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from tiny_encoders import Film, tiny_encoders

import avloc
from avloc.artifacts import FeatureStore, read_model
from avloc.datasets import load_dataset
from avloc.datasets.examples import load_examples
from avloc.errors import UsageError
from avloc.features import extract, extract_video
from avloc.localizer import Localizer
from avloc.timeline import Grid

HALF = Fraction(1, 2)


@pytest.fixture(scope="module")
def encoders():
    whole = tiny_encoders(fps=4)
    return replace(whole, spec=replace(whole.spec, segment_seconds=0.5))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, encoders):
    """Features of eight clips of 3 s, and their labels: one event from 0.5 to 2 s each."""
    folder = tmp_path_factory.mktemp("halves")
    rows = ["video,label,start,end,split"]
    for k in range(8):
        path = Film(3.0, rate=8, seed=k % 2).write(folder / f"{k}.mp4")
        split = "train" if k < 4 else "val" if k < 6 else "test"
        rows.append(f"{path.name},{'Bell' if k % 2 else 'Dog'},0.5,2.0,{split}")
    (folder / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    dataset = load_dataset(folder / "labels.csv")
    store = FeatureStore.create(folder / "a" / "features", encoders.spec, str(dataset.root))
    assert extract(list(dataset.videos.items()), store, encoders, workers=0).n_done == 8
    return folder


def test_training_and_localizing_keep_the_halves(workspace, encoders):
    store = FeatureStore.open(workspace / "a" / "features")
    assert store.read("0").segment_times.tolist() == [[k / 2, (k + 1) / 2] for k in range(6)]
    avloc.train(epochs=1, dataset=workspace / "labels.csv", artifacts=workspace / "a", device="cpu")
    (path,) = (workspace / "a" / "models").glob("*.h5")
    model = read_model(path)
    assert (model.segment_seconds, model.n_segments) == (0.5, 6)
    timeline = Localizer(model, encoders)(workspace / "7.mp4")
    assert timeline.grid == Grid(6, HALF)
    assert timeline.scores.shape[0] == 6
    assert all(2 * event.start % 1 == 2 * event.end % 1 == 0 for event in timeline)


def test_labels_are_put_on_segments_of_half_a_second(workspace):
    store, dataset = (
        FeatureStore.open(workspace / "a" / "features"),
        load_dataset(workspace / "labels.csv"),
    )
    for given in (dataset, replace(dataset, n_segments=3)):  # a length that the data set fixes
        for entry in load_examples(store, given, "test").entries:
            is_event = entry.targets.events.any(axis=1)
            assert is_event.tolist() == [False, True, True, True, False, False]
    assert dataset.fixed_length(HALF) is None
    assert replace(dataset, n_segments=10).fixed_length(HALF) == 20
    assert replace(dataset, n_segments=10).fixed_length(Fraction(1)) == 10


def test_picture_halves_are_the_parts_of_a_second(workspace, encoders):
    """Two frames each, where a second has four: the mean of the halves is the second's map."""
    halves = extract_video(workspace / "0.mp4", encoders)
    seconds = extract_video(workspace / "0.mp4", tiny_encoders(fps=4))
    assert halves.frame_index.reshape(3, 4).tolist() == seconds.frame_index.tolist()
    means = halves.visual.astype(np.float32).reshape(3, 2, 7, 7, 6).mean(axis=1)
    np.testing.assert_allclose(means, seconds.visual, atol=2e-3)


def test_a_segment_without_a_whole_number_of_frames_is_refused(encoders):
    for seconds in (0.3, 0.01):
        with pytest.raises(UsageError, match=f"segments of {seconds} s"):
            replace(encoders.spec, segment_seconds=seconds)
