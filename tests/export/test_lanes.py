"""Lanes of events, against a slow version and against what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.export.confidence import FAINTEST, LIMITS, confidence, opacity
from avloc.export.lanes import MOST_LANES, assign_lanes
from avloc.export.sense_letters import reason_unknown, shown_labels
from avloc.labels import LabelSet
from avloc.timeline import Event, Grid, Timeline


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    spans = draw(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9)), max_size=25))
    scores = st.integers(0, 100).map(lambda n: n / 100)
    return [Event(s, s + n, draw(st.sampled_from("abc")), draw(scores)) for s, n in spans]


def n_at_once(events: list[Event], second: float) -> int:
    return sum(event.start <= second < event.end for event in events)


@given(event_lists(), st.integers(1, 6))
def test_no_two_events_of_a_lane_are_at_the_same_time(events: list[Event], n_most: int) -> None:
    lanes = assign_lanes(events, n_most)
    assert len(lanes.numbers) == len(events)
    for k in range(lanes.n_lanes):
        of_lane = [e for e, n in zip(events, lanes.numbers, strict=True) if n == k]
        assert max((n_at_once(of_lane, second) for second in range(30)), default=0) <= 1


@given(event_lists())
def test_there_are_as_few_lanes_as_events_at_once(events: list[Event]) -> None:
    lanes = assign_lanes(events, n_most=100)
    assert lanes.n_hidden == 0
    assert lanes.n_lanes == max(1, *(n_at_once(events, second) for second in range(30)))


@given(event_lists(), st.integers(1, 4))
def test_an_event_is_left_out_only_for_surer_ones_at_its_time(
    events: list[Event], n_most: int
) -> None:
    lanes = assign_lanes(events, n_most)
    assert lanes.n_lanes <= n_most
    shown = [event for event, _ in lanes.shown(events)]
    assert len(shown) + lanes.n_hidden == len(events)
    if all(n_at_once(events, second) <= n_most for second in range(30)):
        assert lanes.n_hidden == 0
    for event, lane in zip(events, lanes.numbers, strict=True):
        if lane is None:
            others = [e for e in events if e.start < event.end and event.start < e.end]
            assert sum(other.score >= event.score for other in others) > n_most


def test_a_label_returns_to_its_lane() -> None:
    events = [Event(0, 2, "a", 1), Event(0, 2, "b", 1), Event(3, 4, "b", 1), Event(5, 6, "a", 1)]
    assert assign_lanes(events).numbers == (0, 1, 1, 0)


def test_the_order_of_events_does_not_matter_but_their_start_does() -> None:
    late, early = Event(2, 5, "a", 1), Event(0, 3, "b", 1)
    assert assign_lanes([late, early]).numbers == (1, 0)


def test_no_events_have_one_empty_lane() -> None:
    assert (assign_lanes([]).n_lanes, assign_lanes([]).numbers) == (1, ())
    assert MOST_LANES == 8


@pytest.mark.parametrize(
    ("score", "word"),
    [
        *((score, "sure") for score in (1, 0.8)),
        *((score, "likely") for score in (0.79, 0.5)),
        *((score, "unsure") for score in (0.49, 0.0, float("nan"))),
    ],
)
def test_scores_in_words(score: float, word: str) -> None:
    assert confidence(score) == word


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_surer_event_is_never_fainter(one: float, other: float) -> None:
    low, high = sorted([one, other])
    assert FAINTEST <= opacity(low) <= opacity(high) <= 1
    assert [word for word, _ in LIMITS] == ["sure", "likely", "unsure"]


def test_an_opacity_is_a_score() -> None:
    assert [opacity(s) for s in (0, 0.1, 0.4, 1, 1.2)] == [0.2, 0.2, 0.4, 1, 1]
    assert opacity(float("nan")) == 0.2


def timeline(events: list[Event], scores: list[list[float]], **fields: object) -> Timeline:
    labels = LabelSet(("a", "b", "c"), kind="independent")
    array = np.array(scores, np.float32)
    return Timeline("v", labels, Grid(len(array)), array, tuple(events), **fields)


def test_the_shown_label_is_the_strongest_events_or_the_likeliest() -> None:
    events = [Event(0, 2, "a", 0.6), Event(1, 3, "b", 0.7), Event(3, 4, "of no model", 0.9)]
    scores = [[0.6, 0, 0.9]] * 4 + [[0.1, 0.2, 0.3]]
    assert shown_labels(timeline(events, scores)).tolist() == [0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        ((), "not trained"),
        (("rotated",), "not trained"),
        (("no_audio",), "no sound"),
        (("no_video", "corrupt"), "no picture"),
    ],
)
def test_why_senses_are_not_known(flags: tuple[str, ...], reason: str) -> None:
    assert reason in reason_unknown(timeline([], [[0, 0, 0]], flags=flags))
