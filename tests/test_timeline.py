"""Grids and events against the rules written out by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.errors import UnknownNameError, UsageError
from avloc.events import EventRules, events_from_scores
from avloc.export.pictures import has_event
from avloc.labels import LabelSet
from avloc.timeline import Event, Grid, Timeline

LABELS = LabelSet(("bark", "bell"))


@pytest.mark.parametrize(
    ("duration", "n_segments"),
    [(0, 1), (0.2, 1), (1.49, 1), (1.5, 2), (9.5, 10), (10.0, 10), (10.49, 10), (3600.7, 3601)],
)
def test_grid_of_a_duration(duration: float, n_segments: int) -> None:
    assert Grid.of_duration(duration).n_segments == n_segments


@given(st.fractions(0, 10_000), st.fractions(Fraction(1, 10), 5))
def test_grid_is_never_more_than_half_a_segment_off(duration: Fraction, length: Fraction) -> None:
    grid = Grid.of_duration(duration, length)
    assert grid.n_segments == 1 or abs(grid.n_segments * length - duration) <= length / 2


def test_segment_times_follow_the_length() -> None:
    expected = [[0.0, 0.5], [0.5, 1.0], [1.0, 1.5]]
    assert Grid(3, Fraction(1, 2)).segment_times().tolist() == expected


def test_covers_takes_a_segment_by_its_middle_end_exclusive() -> None:
    assert Grid(5).covers(1, 3).tolist() == [False, True, True, False, False]
    assert Grid(5).covers(1.5, 3.5).tolist() == [False, True, True, False, False]
    assert not Grid(5).covers(0, 0).any()


@pytest.mark.parametrize(("n_segments", "length"), [(0, Fraction(1)), (3, Fraction(0))])
def test_empty_grid_is_refused(n_segments: int, length: Fraction) -> None:
    with pytest.raises(UsageError):
        Grid(n_segments, length)


def test_events_are_maximal_runs_with_mean_scores() -> None:
    winners = [0, 0, 2, 1, 0, 2, 2]
    strengths = [0.8, 0.6, 0.9, 0.5, 0.7, 0.9, 0.9]
    scores = np.full((7, 3), 0.0, np.float32)
    for t, (winner, strength) in enumerate(zip(winners, strengths, strict=True)):
        scores[t] = (1 - strength) / 2
        scores[t, winner] = strength
    events = events_from_scores(scores[:, :2], Grid(7), LABELS)  # background is the rest
    assert [(e.start, e.end, e.label) for e in events] == [
        (0.0, 2.0, "bark"),
        (3.0, 4.0, "bell"),
        (4.0, 5.0, "bark"),
    ]
    assert [e.score for e in events] == pytest.approx([0.7, 0.5, 0.7])


@given(st.lists(st.integers(0, 2), min_size=1, max_size=30))
def test_events_paint_back_the_argmax(winners: list[int]) -> None:
    scores = np.eye(3, dtype=np.float32)[winners, :2]
    painted = np.full(len(winners), LABELS.background_index)
    grid = Grid(len(winners))
    for event in events_from_scores(scores, grid, LABELS):
        painted[grid.covers(event.start, event.end)] = LABELS.index(event.label)
    assert painted.tolist() == winners


def test_scores_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="do not fit"):
        events_from_scores(np.zeros((3, 3), np.float32), Grid(3), LABELS)


def test_labels_keep_order_of_first_appearance_and_background_last() -> None:
    labels = LabelSet.in_order_of_appearance(["bell", "bark", "bell", "cat"])
    assert labels.all_names == ("bell", "bark", "cat", "background")
    assert (labels.index("cat"), labels.background_index, labels.n_classes) == (2, 3, 4)


def test_wrong_labels_are_refused() -> None:
    for names in (("a", "a"), ("",), ("background",)):
        with pytest.raises(UsageError):
            LabelSet(names)
    with pytest.raises(UnknownNameError) as caught:
        LABELS.index("barl")
    assert "Did you mean 'bark'?" in caught.value.hint


def test_event_is_plain_data() -> None:
    assert Event(0.0, 1.0, "bark", 0.5) == Event(0.0, 1.0, "bark", 0.5)


def timeline_of(n_segments: int, duration: float) -> Timeline:
    """Return a timeline whose every segment is a bell's."""
    scores = np.tile(np.array([0.1, 0.8], np.float32), (n_segments, 1))
    grid = Grid(n_segments)
    events = events_from_scores(scores, grid, LABELS, duration=duration)
    attention = np.full((n_segments, 7, 7), 1 / 49, np.float32)
    return Timeline("clip", LABELS, grid, scores, events, attention, duration=duration)


@pytest.mark.parametrize(
    ("duration", "end"), [(0.42, 0.42), (0.5, 0.5), (9.6, 9.6), (10.0, 10.0), (10.4, 10.0)]
)
def test_no_event_goes_on_after_the_video(duration: float, end: float) -> None:
    timeline = timeline_of(Grid.of_duration(duration).n_segments, duration)
    [event] = timeline
    assert (event.start, event.end) == (0.0, end)
    assert has_event(timeline).all()  # the last segment is still the event's


def test_an_unknown_duration_ends_nothing() -> None:
    [event] = timeline_of(3, 0.0)
    assert event.end == 3.0


def test_short_events_are_measured_within_the_video() -> None:
    scores = np.array([[0.1, 0.8]], np.float32)
    rules = EventRules(min_seconds=0.5)
    assert events_from_scores(scores, Grid(1), LABELS, rules, 0.42) == ()


def test_background_is_what_is_missing_to_1() -> None:
    timeline = timeline_of(2, 2.0)
    assert timeline.background() == pytest.approx([0.1, 0.1])
    independent = LabelSet(LABELS.names, kind="independent")
    assert replace(timeline, labels=independent).background() is None


def test_a_timeline_without_events_is_an_answer_too() -> None:
    silent = replace(timeline_of(2, 2.0), events=())
    assert bool(silent)
    assert len(silent) == 0


def test_a_printed_timeline_is_a_line_without_arrays() -> None:
    printed = str(timeline_of(600, 600.0))
    assert printed == "<Timeline of 'clip': 1 event in 600 s>"
    assert repr(timeline_of(3, 0.0)) == "<Timeline of 'clip': 1 event in 3 s>"


def test_clip_scores_are_the_mean_of_the_best_three_seconds() -> None:
    scores = np.array([[0.1, 0.9], [0.5, 0.0], [0.3, 0.3], [0.4, 0.6]], np.float32)
    heard = np.where([True, False], np.nan, scores).astype(np.float32)
    labels = LabelSet(("a", "b"), kind="independent")
    timeline = Timeline("v", labels, Grid(4), scores, (), heard=heard)
    first, second = timeline.clip_scores()
    assert (first.label, first.score, first.heard) == ("b", pytest.approx(0.6), pytest.approx(0.6))
    assert (second.label, second.score, second.heard) == ("a", pytest.approx(0.4), None)
    assert first.seen is None
    halves = Timeline("v", labels, Grid(4, Fraction(3, 2)), scores, ())  # two are three seconds
    assert halves.clip_scores()[0].score == pytest.approx(0.75)
