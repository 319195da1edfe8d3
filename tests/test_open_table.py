"""What ``tools/open_table.py`` measures: its numbers by hand, and its questions."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import marked_pages
import numpy as np
import open_answers
import open_clips
import open_measures
import pytest

from avloc.errors import AvlocError
from avloc.labels import LabelSet
from avloc.timeline import Event, Grid, Timeline


def test_ranks_count_ties_and_abstaining_against_the_label() -> None:
    scores = {"dog": 0.7, "cat": 0.9, "bell": 0.7, "rain": None}
    assert [open_measures.rank_of(label, scores) for label in scores] == [3, 1, 3, 4]


def test_timing_by_hand() -> None:
    # speech at 1.28-3.99, 4.82-7.28, 7.67-10, answered on a grid of a second
    truth = [(1.28, 3.99), (4.82, 7.28), (7.67, 10.0)]
    found = open_measures.timing([(1, 4), (5, 10)], truth, 10.0)
    assert found.seconds_answered == pytest.approx(8)
    assert found.seconds_true == pytest.approx(7.5)
    assert found.seconds_right == pytest.approx(2.71 + 2.28 + 2.33)
    assert found.time_f1 == pytest.approx(2 * 7.32 / 15.5)
    # 5-10 overlaps 4.82-7.28 by 2.28 of 5.18 and 7.67-10 by 2.33 of 5: neither is a half
    assert (found.n_matched, found.n_answered, found.n_true) == (1, 2, 3)
    assert found.boundary_errors == pytest.approx((0.28, 0.01))
    assert found.event_f1 == pytest.approx(2 / 5)


def test_timing_of_silence_and_beyond_the_end() -> None:
    found = open_measures.timing([], [(2, 12)], 10.0)
    assert (found.time_f1, found.event_f1, found.seconds_true) == (0, 0, pytest.approx(8))
    assert open_measures.timing([(0, 12)], [(0, 10)], 10.0).time_f1 == 1


def test_true_times_that_overlap_are_one_event() -> None:
    assert open_measures.joined([(3, 4), (0, 1), (1, 2), (3.5, 5)]) == [(0, 2), (3, 5)]


def test_each_event_is_matched_once() -> None:
    assert open_measures.match([(0, 4), (0, 3)], [(0, 3.5)]) == [(0, 0)]
    assert open_measures.match([(0, 1)], [(0, 2)]) == [(0, 0)]  # an IoU of exactly a half


def test_the_area_under_the_curve_is_a_share_of_pairs_in_order() -> None:
    scores, middles = np.array([0.1, 0.4, 0.3, 0.9]), np.array([0.5, 1.5, 2.5, 3.5])
    # true are .4 and .9: of four pairs all are in order; with 2-4 s true, .3 < .4 is one wrong
    assert open_measures.segment_auc(scores, middles, [(1, 2), (3, 4)]) == 1
    assert open_measures.segment_auc(scores, middles, [(2, 4)]) == 0.75
    assert np.isnan(open_measures.segment_auc(scores, middles, [(0, 4)]))


def test_an_index_is_read_with_times_and_boxes(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    entry = {
        "label": "dog barking",
        "sounds": ["Dog"],
        "sound_events": [
            {"label": "Bark", "start": 0.4, "end": 1.2},
            {"label": "Background noise", "start": 0, "end": 10},
            {"label": "Bark", "start": 2, "end": 3},
        ],
        "boxes": [{"class": "dog", "boxes": [[0, 0.1, 0.5, 1]]}],
    }
    index = [{"file": "a.mp4", **entry}, {"file": "gone.mp4", "label": "x"}]
    (tmp_path / "index.json").write_text(json.dumps(index))
    [clip] = open_clips.read_clips(tmp_path)
    assert clip.times == (("Bark", ((0.4, 1.2), (2, 3))),)
    assert clip.boxes == ((0, 0.1, 0.5, 1),)
    assert clip.also == ("Dog", "Bark", "Background noise")


def test_absent_labels_share_neither_word_nor_class() -> None:
    clip = open_clips.Clip(Path("a.mp4"), "dog barking", also=("Speech",))
    labels = ["dog barking", "hot dogs", "man speaking", "bark", "wolf howling", "flute", "bell"]
    classes: dict[str, set] = {label: set() for label in labels}
    classes |= {"man speaking": {0}, "Speech": {0}, "wolf howling": {1}, "dog barking": {1, 2}}
    chosen = open_clips.absent_labels(clip, labels, classes)
    assert sorted(chosen) == ["bell", "flute"]
    assert open_clips.absent_labels(clip, labels[::-1], classes) == chosen
    many = [*labels, *(f"thing {chr(97 + n)}{chr(97 + n)}" for n in range(20))]
    classes |= {label: set() for label in many if label not in classes}
    assert len(open_clips.absent_labels(clip, many, classes)) == 10


def test_times_on_the_command_line() -> None:
    clip = open_clips.timed_clip("x.mp4", "speech", "1.28-3.99,4.82-7.28")
    assert clip.times == (("speech", ((1.28, 3.99), (4.82, 7.28))),)
    with pytest.raises(ValueError, match="is not START-END"):
        open_clips.timed_clip("x.mp4", "speech", "3-1")


LABELS = LabelSet(("flute", "thunder", "chainsaw"), kind="independent")


def timeline_of(
    scores: tuple[float, ...],
    heard: tuple[float, ...] | None,
    seen: tuple[float, ...],
    events: tuple[Event, ...] = (),
) -> Timeline:
    """Four seconds, all alike."""
    of_label = [
        None if row is None else np.tile(np.array(row, np.float32), (4, 1))
        for row in (scores, heard, seen)
    ]
    given = dict(zip(("scores", "heard", "seen"), of_label, strict=True))
    return Timeline("x", LABELS, Grid(4, Fraction(1)), events=events, duration=4.0, **given)


def test_the_table_of_labels_counts_clips_that_have_the_sense() -> None:
    nan = float("nan")
    clips = [open_clips.Clip(Path(f"{n}.mp4"), label) for n, label in enumerate(LABELS.names)]
    timelines = [
        timeline_of((0.9, 0.2, 0.1), (0.9, 0.2, 0.1), (0.1, 0.2, 0.3)),  # flute: heard, not seen
        timeline_of((0.3, 0.9, 0.1), (0.3, nan, 0.1), (0.3, 0.9, 0.1)),  # thunder: no sound of it
        timeline_of((0.9, 0.2, 0.1), None, (0.9, 0.2, 0.1)),  # chainsaw: no sound, seen last
    ]
    table = open_answers.which_table(clips, timelines)
    assert [list(row) for row in table.rows] == [
        ["both senses", "66.7%", "100.0%", "3"],
        ["sound alone", "50.0%", "100.0%", "2"],
        ["picture alone", "33.3%", "100.0%", "3"],
        ["chance", "33.3%", "100.0%", ""],
    ]


def test_the_table_of_times_has_the_answer_everywhere_beside_it() -> None:
    clip = open_clips.Clip(Path("a.mp4"), "flute", times=(("thunder", ((1.0, 3.0),)),))
    right = timeline_of((0, 1, 0), None, (0, 1, 0), (Event(1, 3, "thunder", 0.9),))
    [table] = open_answers.when_tables([clip], {1.0: [right]})
    assert table.rows[0][1:6] == ["100.0%", "100.0%", "100.0%", "0.00 s", "1 for 1"]
    assert table.rows[1][1:4] == ["66.7%", "66.7%", "100.0%"]  # 2 of 4 s; an IoU of a half
    assert "+33.3 points" in table.caption


def test_false_alarms_are_events_of_labels_that_are_not_there() -> None:
    clips = [open_clips.Clip(Path(f"{n}.mp4"), label) for n, label in enumerate(LABELS.names)]
    alarm = (Event(0, 1, "chainsaw", 0.6), Event(2, 4, "flute", 0.9), Event(3, 4, "chainsaw", 0.6))
    quiet = timeline_of((0, 0, 0), None, (0, 0, 0))
    timelines = [timeline_of((1, 0, 1), None, (1, 0, 1), alarm), quiet, quiet]
    absent, own = open_answers.alarms_table(clips, timelines).rows
    # six questions of 4 s: one with two events of a second
    assert absent == ["labels that are not there", "6", "16.7%", "0.67", "8.3%"]
    assert own == ["the clip's label", "3", "33.3%", "0.33", "16.7%"]


def test_a_table_goes_between_its_marks_only(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- a -->\nold\n<!-- /a -->\nafter\n")
    marked_pages.put_between(page, "new\n", ("<!-- a -->", "<!-- /a -->"))
    assert page.read_text() == "before\n<!-- a -->\nnew\n<!-- /a -->\nafter\n"
    with pytest.raises(AvlocError, match="has no lines"):
        marked_pages.put_between(page, "new\n", ("<!-- b -->", "<!-- /b -->"))
