"""Metrics of events and senses of a whole split: which there are, and answers without a model."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from made_up import SPEC, made_up
from test_evaluate import untrained

from avloc.artifacts import Predictions
from avloc.datasets.examples import load_examples
from avloc.evaluation.evaluator import evaluate
from avloc.evaluation.event_evaluation import KNOWN, KNOWN_BY_SENSE, MODEL, NOTHING, measure_events
from avloc.evaluation.parsing_f1 import ParsedSenses
from avloc.evaluation.sense_words import SenseWords, sense_words, share_right
from avloc.evaluation.split_answers import Answers, answers_of
from avloc.labels import LabelSet
from avloc.tables.event_tables import event_tables
from avloc.timeline import Event

BOTH = LabelSet(("bark", "bell"), kind="independent")


def two_videos(**changes) -> Predictions:
    """Of four segments: a bark heard in the first half and seen in all; nothing in the other."""
    heard = np.zeros((2, 4, 2), bool)
    seen = heard.copy()
    heard[0, :2, 0] = seen[0, :, 0] = True
    scores = np.full((2, 4, 2), 0.1, np.float32)
    scores[0, :, 0] = 0.9
    predictions = Predictions(
        scores=scores,
        truth=heard | seen,
        scored=np.ones((2, 4), bool),
        video_ids=("a", "b"),
        rows=np.array([0, 1]),
        labels=BOTH,
        split="test",
        model="m",
        fingerprint=SPEC.fingerprint,
        durations=np.array([4.0, 4.0]),
        heard=np.where(heard, 0.8, 0.2).astype(np.float32),
        seen=np.where(seen, 0.8, 0.2).astype(np.float32),
        true_heard=heard,
        true_seen=seen,
        gate_audio=np.full((2, 4), 0.5, np.float32),
        gate_visual=np.full((2, 4), 0.5, np.float32),
    )
    return replace(predictions, **changes)


def answers(**changes) -> Answers:
    """The right bark, and a bell of 2 s that is wrong."""
    made = two_videos()
    bark, bell = Event(0, 4, "bark", 0.9), Event(0, 2, "bell", 0.6)
    of = Answers(
        events=[[bark], [bell]],
        true_events=[[replace(bark, score=1.0)], []],
        knows_times=np.array([True, True]),
        senses=ParsedSenses(made.true_heard, made.true_seen),
        present=np.array([[True, False], [False, False]]),
        clip_labels=("bark", ""),
        seconds=np.array([4.0, 4.0]),
        audible=made.true_heard,
        visible=made.true_seen,
    )
    return replace(of, **changes)


def test_independent_labels_with_senses_have_all_metrics_of_events():
    found = measure_events(two_videos(), answers(), majority_label="bell")
    assert set(found.precision) == {MODEL, KNOWN, "always 'bell'"}
    assert found.precision[MODEL].average == found.precision[KNOWN].average == 1.0
    assert found.precision["always 'bell'"].average == 0.0
    assert [(b.low, b.share_right) for b in found.reliability.bins] == [(0.6, 0.0), (0.9, 1.0)]
    assert found.labels[MODEL].micro == 1.0
    assert found.labels[NOTHING].micro == 0.0
    assert found.clips == {}
    for level in ("segment", "event"):
        assert found.parsing[level][MODEL].type == 1.0
    # the bark everywhere by both senses: A 2 of 4 seconds, V all; the silent video is right
    everywhere = found.parsing["segment"][KNOWN]
    assert (everywhere.audio, everywhere.visual) == (pytest.approx((2 / 3 + 1) / 2), 1.0)
    assert found.parsing["segment"][KNOWN_BY_SENSE] == everywhere
    assert found.senses["labels"]["all"].heard == 1.0
    assert found.senses["gates"]["all"].heard == 0.5
    assert found.senses["labels"]["both"].n_cases == 2
    titles = [table.title for table in event_tables(found, "mine")]
    assert len(titles) == len(set(titles)) == 7
    json.dumps(asdict(found), allow_nan=False)


def test_without_times_or_senses_those_metrics_are_left_out():
    nobody = two_videos(true_heard=None, true_seen=None)
    nothing = {"audible": None, "visible": None}
    unknown = answers(true_events=[(), ()], knows_times=np.array([False, False]), **nothing)
    found = measure_events(nobody, unknown)
    assert (found.precision, found.parsing, found.senses) == ({}, {}, {})
    assert found.reliability is None
    tables = event_tables(found, "mine")
    assert [table.title for table in tables] == [
        "F1 of segments",
        "Calibration by label of a segment",
    ]


def test_exclusive_labels_have_events_and_no_label_metrics(tmp_path):
    world = made_up(tmp_path, n_videos=6, splits=("test",))
    _, evaluation = evaluate(untrained(), world.store, world.dataset)
    found = evaluation.events
    assert found.precision[KNOWN].at(0.1) == 1.0  # the right labels, everywhere
    assert (found.labels, found.parsing, found.clips) == ({}, {}, {})
    assert found.label_reliability is None


def test_clips_of_groups_are_measured_by_group(tmp_path):
    world = made_up(tmp_path, n_videos=6, splits=("test",))
    dataset = replace(world.dataset, label_groups={"bell": "close", "bark": "open"})
    predictions, evaluation = evaluate(untrained(), world.store, dataset)
    clips = evaluation.events.clips
    assert set(clips) == {"close", "open", "total"}
    assert sum(clips[group][MODEL].n_clips for group in ("close", "open")) == 6
    right = predictions.class_scores.argmax(-1) == predictions.targets
    assert clips["total"][MODEL].accuracy == pytest.approx(right.mean())
    background = (predictions.targets == 2).mean()
    assert clips["total"]["always background"].accuracy == pytest.approx(background)


def test_a_segment_is_known_by_the_sense_that_reaches_the_threshold_alone(tmp_path):
    """A bark in all of four segments: heard, seen, by both, by neither alone (that is both)."""
    world = made_up(tmp_path, n_videos=1, splits=("test",))
    examples = load_examples(world.store, world.dataset, "test")
    bark = np.zeros((1, 10, 2), np.float32)
    bark[..., 1] = 0.9
    heard, seen = np.zeros((2, 1, 10, 2), np.float32)
    heard[0, :4, 1], seen[0, :4, 1] = (0.8, 0.2, 0.8, 0.2), (0.2, 0.8, 0.8, 0.2)
    made = replace(
        two_videos(labels=LabelSet(("bell", "bark"), kind="independent")),
        scores=bark,
        truth=bark > 2,
        scored=np.ones((1, 10), bool),
        durations=np.array([10.0]),
        heard=heard,
        seen=seen,
    )
    of = answers_of(made, examples, world.dataset)
    assert of.senses.heard[0, :4, 1].tolist() == [True, False, True, True]
    assert of.senses.seen[0, :4, 1].tolist() == [False, True, True, True]
    assert [(e.start, e.end, e.label) for e in of.events[0]] == [(0, 10, "bark")]
    deaf = answers_of(replace(made, heard=None), examples, world.dataset).senses
    assert not deaf.heard.any()
    assert deaf.seen[0, :, 1].all()
    unknown = answers_of(replace(made, heard=None, seen=None), examples, world.dataset).senses
    assert unknown.heard[0, :, 1].all()
    assert unknown.seen[0, :, 1].all()


def test_the_words_of_found_events_are_counted_by_the_true_ones(tmp_path):
    """Five barks of two segments; the last is not true, and the fourth's sense is not known."""
    predictions = two_videos(labels=BOTH)
    heard, seen, true = np.zeros((3, 1, 10, 2), bool)
    true[0, :8, 0] = True
    heard[0, [0, 1, 2, 3, 6, 7], 0] = True  # the first bark by both, then heard, seen, both
    seen[0, [0, 1, 4, 5, 6, 7], 0] = True
    predictions = replace(
        predictions, scores=true.astype(np.float32), truth=true, scored=np.ones((1, 10), bool)
    )
    said = ("both", "both", "seen", "unknown", "both")
    events = [Event(2 * n, 2 * n + 2, "bark", 0.9, word) for n, word in enumerate(said)]
    words = sense_words(predictions, [events], heard, seen)
    assert words == {
        "both": SenseWords(1, 1, 0, 0),
        "heard": SenseWords(1, 1, 0, 0),
        "seen": SenseWords(1, 0, 0, 1),
    }
    assert share_right(words) == pytest.approx(2 / 3)
    assert sense_words(predictions, [events[3:]], heard, seen) == {}


def test_senses_json_says_where_a_label_is_heard_and_seen(tmp_path):
    """The rows say that every event is both heard and seen; the file knows each second."""
    world = made_up(tmp_path, n_videos=3, splits=("test",))
    _, without = evaluate(untrained(), world.store, world.dataset)
    assert without.events.senses == {}
    heard = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    of_bark = {
        "bark": {"heard": heard, "seen": heard[::-1]},
        "none of ours": {"heard": [1], "seen": [0]},
    }
    (tmp_path / "senses.json").write_text(json.dumps({"video001": of_bark}))
    predictions, evaluation = evaluate(untrained(), world.store, world.dataset)
    examples = load_examples(world.store, world.dataset, "test")
    of = answers_of(predictions, examples, world.dataset)
    assert of.audible[1, :, 1].tolist() == list(map(bool, heard))
    assert of.visible[1, :, 1].tolist() == list(map(bool, heard[::-1]))
    assert of.audible.sum() == of.visible.sum() == 3
    assert {state: area.n_cases for state, area in evaluation.events.senses["gates"].items()} == {
        **{"all": 30, "both": 0, "heard only": 3, "seen only": 3, "neither": 24}
    }


def test_a_fitted_threshold_of_a_sense_counts_in_segments_too(tmp_path):
    world = made_up(tmp_path, n_videos=2, splits=("test",))
    examples = load_examples(world.store, world.dataset, "test")
    bark = np.zeros((2, 10, 2), np.float32)
    bark[..., 1] = 0.9
    made = replace(
        two_videos(labels=LabelSet(("bell", "bark"), kind="independent")),
        scores=bark,
        truth=bark > 2,
        scored=np.ones((2, 10), bool),
        durations=np.array([10.0, 10.0]),
        heard=np.full_like(bark, 0.3),
        seen=np.full_like(bark, 0.1),
        sense_thresholds=(0.2, 0.2),
        has_sound=np.array([True, False]),
    )
    of = answers_of(made, examples, world.dataset)
    assert [events[0].sense for events in of.events] == ["heard", "seen"]
    assert of.senses.heard[..., 1].all(axis=1).tolist() == [True, False]
    assert of.senses.seen[..., 1].all(axis=1).tolist() == [False, True]
