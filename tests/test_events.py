"""Events from scores: the rules one by one, worked out by hand, and what always holds."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.errors import UnknownNameError, UsageError
from avloc.events import EventRules, events_from_scores, surest_labels
from avloc.labels import LabelSet
from avloc.timeline import Event, Grid

LABELS = LabelSet(("bell", "bark"))
INDEPENDENT = LabelSet(("bell", "bark"), kind="independent")


def scores_of(*segments: tuple[float, float]) -> np.ndarray:
    """Return (T, 2) from the probabilities of bell and bark; background has the rest."""
    return np.array(segments, np.float32)


def events_of(
    scores: np.ndarray, seconds: Fraction = Fraction(1), known: LabelSet = LABELS, **rules: object
):
    events = events_from_scores(scores, Grid(len(scores), seconds), known, EventRules(**rules))
    return [(event.start, event.end, event.label) for event in events]


FADING = scores_of((0.1, 0.0), (0.3, 0.0), (0.8, 0.0), (0.4, 0.1), (0.2, 0.1), (0.45, 0.0))


def test_the_winner_of_each_segment_by_default():
    assert events_of(FADING) == [(2, 3, "bell")]


def test_an_event_goes_on_while_its_label_is_likely_enough():
    assert events_of(FADING, keep=0.3) == [(1, 4, "bell")]
    assert events_of(FADING, keep=0.2) == [(1, 6, "bell")]
    assert events_of(FADING, keep=0.0) == [(0, 6, "bell")]


def test_a_segment_between_two_events_goes_to_the_likelier():
    between = scores_of((0.9, 0.0), (0.2, 0.3), (0.0, 0.9))
    assert events_of(between, keep=0.2) == [(0, 1, "bell"), (1, 3, "bark")]


def test_a_guess_is_no_event():
    """Bell is the likeliest, and likelier than background, but not likely."""
    guess = scores_of((0.4, 0.25), (0.2, 0.1))
    assert events_of(guess) == []
    assert events_of(guess, threshold=0.3) == [(0, 1, "bell")]
    fitted = np.array([0.35, 0.9], np.float32)
    (event,) = events_from_scores(guess, Grid(2), LABELS, thresholds=fitted)
    assert (event.start, event.end, event.label) == (0, 1, "bell")


def test_independent_labels_may_overlap():
    scores = scores_of((0.9, 0.1), (0.8, 0.7), (0.2, 0.9), (0.4, 0.3))
    assert events_of(scores, known=INDEPENDENT) == [(0, 2, "bell"), (1, 3, "bark")]
    kept = events_of(scores, known=INDEPENDENT, keep=0.2)
    assert kept == [(0, 4, "bell"), (1, 4, "bark")]
    gap = scores_of((0.9, 0.9), (0.1, 0.9), (0.9, 0.1))
    assert events_of(gap, known=INDEPENDENT, min_gap=2) == [(0, 2, "bark"), (0, 3, "bell")]


@pytest.mark.parametrize(
    ("heard", "seen", "sense"),
    [
        (0.9, 0.9, "both"),
        (0.9, 0.1, "heard"),
        (0.1, 0.5, "seen"),
        (0.1, 0.2, "both"),  # neither alone: only both together
        (None, None, "unknown"),
        (0.1, None, "heard"),  # the model has no picture to see
        (None, 0.1, "seen"),
    ],
)
def test_the_sense_is_that_which_alone_reaches_the_threshold(heard, seen, sense):
    def column(value):
        return None if value is None else np.full((3, 2), value, np.float32)

    scores = scores_of(*[(0.8, 0.0)] * 3)
    events = events_from_scores(scores, Grid(3), LABELS, heard=column(heard), seen=column(seen))
    assert [event.sense for event in events] == [sense]
    for value, expected in ((events[0].heard, heard), (events[0].seen, seen)):
        assert value == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("heard", "seen", "sense"),
    [(0.2, 0.1, "heard"), (0.1, 0.4, "seen"), (0.2, 0.4, "both"), (0.1, 0.2, "both")],
)
def test_each_sense_has_a_fitted_threshold(heard, seen, sense):
    arrays = {
        name: np.full((3, 2), value, np.float32)
        for name, value in (("heard", heard), ("seen", seen))
    }
    scores = scores_of(*[(0.8, 0.0)] * 3)
    (event,) = events_from_scores(scores, Grid(3), LABELS, sense_thresholds=(0.15, 0.3), **arrays)
    assert event.sense == sense


def test_a_sense_needs_no_more_than_the_labels_threshold():
    scores = scores_of(*[(0.8, 0.0)] * 3)
    arrays = {"heard": scores * 0 + np.float32(0.6), "seen": scores * 0 + np.float32(0.4)}
    for rules, sense in ((EventRules(), "heard"), (EventRules(threshold=0.3), "both")):
        (event,) = events_from_scores(
            scores, Grid(3), LABELS, rules, sense_thresholds=(0.9, 0.9), **arrays
        )
        assert event.sense == sense


@given(st.integers(1, 30), st.integers(1, 4), st.integers(0, 10_000))
def test_independent_labels_are_as_each_label_alone(n_segments, n_labels, seed):
    scores = np.random.default_rng(seed).random((n_segments, n_labels)).astype(np.float32)
    rules, names = EventRules(keep=0.3, min_gap=2), [f"label{k}" for k in range(n_labels)]
    together = events_from_scores(
        scores, Grid(n_segments), LabelSet(tuple(names), kind="independent"), rules
    )
    alone = [
        event
        for k, name in enumerate(names)
        for event in events_from_scores(
            scores[:, k : k + 1], Grid(n_segments), LabelSet((name,), kind="independent"), rules
        )
    ]
    assert sorted(alone, key=lambda e: (e.start, e.end, e.label)) == list(together)


def test_a_segment_that_another_event_has_is_not_taken():
    assert events_of(scores_of((0.9, 0.0), (0.45, 0.5)), keep=0.1) == [
        (0, 1, "bell"),
        (1, 2, "bark"),
    ]


def test_nothing_grows_where_no_event_is():
    assert events_of(scores_of((0.4, 0.0), (0.4, 0.1)), keep=0.1) == []


GAPPED = scores_of((0.9, 0), (0.1, 0), (0.8, 0), (0, 0), (0, 0), (0.9, 0), (0, 0), (0, 0.9))


def test_gaps_are_closed_between_events_of_one_label():
    assert events_of(GAPPED) == [(0, 1, "bell"), (2, 3, "bell"), (5, 6, "bell"), (7, 8, "bark")]
    assert events_of(GAPPED, min_gap=1) == events_of(GAPPED)  # not shorter than a second
    assert events_of(GAPPED, min_gap=1.5) == [(0, 3, "bell"), (5, 6, "bell"), (7, 8, "bark")]
    assert events_of(GAPPED, min_gap=3) == [(0, 6, "bell"), (7, 8, "bark")]
    half = events_of(GAPPED, Fraction(1, 2), min_gap=0.6)
    assert half == [(0, 1.5, "bell"), (2.5, 3, "bell"), (3.5, 4, "bark")]


def test_short_and_unsure_events_and_other_labels_are_left_out():
    assert events_of(GAPPED, min_gap=1.5, min_seconds=2) == [(0, 3, "bell")]
    assert events_of(GAPPED, min_score=0.85) == [(0, 1, "bell"), (5, 6, "bell"), (7, 8, "bark")]
    assert events_of(GAPPED, labels=("bark",)) == [(7, 8, "bark")]


def test_the_score_is_the_mean_over_all_that_became_the_event():
    (event, *_) = events_from_scores(GAPPED, Grid(8), LABELS, EventRules(min_gap=1.5))
    assert event.score == pytest.approx((0.9 + 0.1 + 0.8) / 3)


@pytest.mark.parametrize(
    ("rules", "error"),
    [
        ({"threshold": 1.5}, UsageError),
        ({"keep": 1.5}, UsageError),
        ({"min_gap": -1.0}, UsageError),
        ({"min_score": 2.0}, UsageError),
        ({"labels": ("barkk",)}, UnknownNameError),
    ],
)
def test_rules_that_cannot_be_are_refused(rules, error):
    with pytest.raises(error):
        events_of(GAPPED, **rules)


some_scores = st.integers(1, 12).flatmap(
    lambda n: st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)), min_size=n, max_size=n).map(
        lambda pairs: scores_of(*pairs)
    )
)


@given(some_scores, st.floats(0, 1), st.floats(0, 5))
def test_whatever_the_rules_events_are_in_order_and_apart(scores, keep, min_gap):
    events = events_of(scores, keep=keep, min_gap=min_gap)
    for (_, end, label), (start, _, other) in pairwise(events):
        assert end <= start
        assert end < start or label != other


@given(some_scores, st.floats(0, 1), st.floats(0, 1))
def test_a_lower_bound_covers_more(scores, keep, other_keep):
    def covered(keep):
        return sum(end - start for start, end, _ in events_of(scores, keep=keep))

    low, high = sorted((keep, other_keep))
    assert covered(low) >= covered(high) >= covered(1.0)


def test_the_surest_label_of_a_segment_is_its_strongest_events_or_the_likeliest() -> None:
    labels = LabelSet(("a", "b", "c"), kind="independent")
    scores = np.array([[0.1, 0.4, 0.3], [0.9, 0.8, 0.1], [0.2, 0.1, 0.3]], np.float32)
    events = (Event(0, 2, "b", 0.7), Event(1, 2, "a", 0.6))
    surest = surest_labels(scores, Grid(3), labels, events)
    assert [labels.names[k] for k in surest] == ["b", "b", "c"]
    of_two = surest_labels(scores, Grid(3), labels, events[1:], wanted=("c", "a"))
    assert [labels.names[k] for k in of_two] == ["c", "a", "c"]


def test_a_sense_that_abstains_leaves_the_event_to_the_other() -> None:
    scores = np.full((2, 1), 0.9, np.float32)
    labels = LabelSet(("a",), kind="independent")
    nothing = np.full((2, 1), np.nan, np.float32)
    [event] = events_from_scores(scores, Grid(2), labels, heard=nothing, seen=scores)
    assert (event.sense, event.heard) == ("seen", None)
    [event] = events_from_scores(scores, Grid(2), labels, heard=scores, seen=nothing)
    assert (event.sense, event.seen) == ("heard", None)
