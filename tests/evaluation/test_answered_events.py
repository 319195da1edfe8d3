"""What is measured is what is answered: `eval` and `localize` find the same events."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from made_up import features_of, made_up, predictions_of

from avloc.datasets import Row
from avloc.evaluation.answered_events import answered_events
from avloc.evaluation.evaluator import evaluate
from avloc.labels import LabelSet
from avloc.localizer import Localizer
from avloc.training import TrainingConfig
from avloc.training.fit import fit

CONFIG = TrainingConfig(epochs=6, batch_size=4, learning_rate=1e-2, milestones=(), window=10)


class NoEncoders:
    """Stands where encoders would turn a video into features: these have them already."""

    device = "cpu"


class LikeMadeUp(NoEncoders):
    """Its features have the shapes that are made up."""

    visual = SimpleNamespace(embedding=(3, 3, 12))
    audio = SimpleNamespace(embedding=(6,))


@pytest.mark.parametrize("kind", ["exclusive", "independent"])
def test_a_video_of_three_minutes_has_the_same_events_in_both(tmp_path, kind):
    """The windows are of 10 segments; events across their borders are one event."""
    world = made_up(tmp_path, n_videos=24, lengths=(20,), n_segments=None, noise=0.8)
    long = made_up(
        tmp_path / "long", n_videos=2, lengths=(180,), splits=("test",), n_segments=None, noise=0.8
    )
    for number in range(2):
        video_id = f"video{number:03d}"
        features = long.store.read(video_id)
        world.store.write(features_of(f"long{number}", features.visual, features.audio))
    rows = [replace(row, video_id=f"long{row.video_id[-1]}") for row in long.dataset.rows]
    train = [row for row in world.dataset.rows if row.split != "test"]
    dataset = replace(
        world.dataset,
        rows=(*train, *rows, Row("long0", "bark", 100.0, 130.0, "test")),
        labels=LabelSet(("bell", "bark"), kind=kind),
        is_row_alone=False,
    )
    model = fit(world.store, dataset, options={"width": 16}, config=CONFIG, device="cpu")
    assert model.n_segments == 10
    predictions, _ = evaluate(model, world.store, dataset, "test")
    measured = answered_events(predictions)
    assert any(event.end - event.start > 10 for events in measured for event in events)
    localizer = Localizer(model, NoEncoders())
    for video_id, events in zip(predictions.video_ids, measured, strict=True):
        timeline = localizer.of_features(world.store.read(video_id))
        assert tuple(events) == timeline.events
        assert {event.sense for event in events} <= {"both", "heard", "seen"}


def test_what_a_model_says_of_a_missing_sense_is_no_evidence_in_both(tmp_path):
    """Videos without sound, without picture and whole, among them the test split's."""
    world = made_up(tmp_path, n_videos=24, noise=0.3)
    model = fit(world.store, world.dataset, options={"width": 16}, config=CONFIG, device="cpu")
    rows = [replace(row, split="test") for row in world.dataset.rows]
    dataset = replace(world.dataset, rows=tuple(rows))
    for number in range(0, 24, 3):
        whole = world.store.read(f"video{number:03d}")
        halves = {"visual": whole.visual, "audio": whole.audio}
        world.store.write(
            features_of(whole.video_id, **halves | {("audio", "visual")[number % 2]: None})
        )
    predictions, _ = evaluate(model, world.store, dataset, "test")
    senses = {True: set(), False: set()}
    for row, events in enumerate(answered_events(predictions)):
        features = world.store.read(predictions.video_ids[row])
        timeline = Localizer(model, LikeMadeUp()).of_features(features)
        assert [(e.label, e.start, e.sense) for e in events] == [
            (e.label, e.start, e.sense) for e in timeline.events
        ]
        is_whole = features.audio is not None and features.visual is not None
        senses[is_whole] |= {event.sense for event in events}
    assert senses[False] <= {"heard", "seen"}
    assert senses[False]
    assert "both" in senses[True]


@pytest.mark.parametrize(("without", "sense"), [("audio", "seen"), ("visual", "heard")])
def test_a_split_without_one_sense_is_known_by_the_other(tmp_path, without, sense):
    world = made_up(tmp_path, n_videos=24, noise=0.3)
    model = fit(world.store, world.dataset, options={"width": 16}, config=CONFIG, device="cpu")
    predictions, evaluation = evaluate(model, world.store, world.dataset, "train", without=without)
    found = {event.sense for events in answered_events(predictions) for event in events}
    assert found == {sense}
    assert set(evaluation.events.senses) <= {"gates"}


def test_events_end_with_the_row_and_a_row_may_have_none():
    predictions = predictions_of(
        [[0] * 4, [2] * 4], [[0, 0, 1, 2], [1, 2, 1, -1]], durations=np.array([4.0, 2.5])
    )
    first, second = answered_events(predictions)
    assert [(event.start, event.end, event.label) for event in first] == [(0, 4, "bell")]
    assert second == ()
