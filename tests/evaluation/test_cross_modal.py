"""Finding an event in the other modality, on hand-made cases and AVE's own rows."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from made_up import predictions_of

from avloc.datasets import load_dataset
from avloc.errors import UsageError
from avloc.evaluation.cross_modal import (
    cross_modal_accuracy,
    match,
    matched_starts,
    trivial_matches,
)
from avloc.labels import LabelSet
from avloc.timeline import Grid


def events(*rows: str) -> np.ndarray:
    """Rows from pictures: ``#`` is an event."""
    return np.array([[letter == "#" for letter in row] for row in rows])


EVENTS = events("##..", ".##.", "...#", "####", "....")


def test_trivial_answers_by_hand():
    trivial = trivial_matches(EVENTS)  # windows: 3, 3 and 4; the last two rows ask nothing
    assert trivial.n_rows == 3
    assert trivial.chance == pytest.approx((1 / 3 + 1 / 3 + 1 / 4) / 3)
    assert trivial.first == pytest.approx(1 / 3)
    assert trivial.last == pytest.approx(1 / 3)


def test_nothing_asked_is_no_number():
    trivial = trivial_matches(EVENTS[3:])
    assert (trivial.chance, trivial.first, trivial.last, trivial.n_rows) == (None, None, None, 0)
    assert cross_modal_accuracy(np.array([-1, -1]), EVENTS[3:]) is None


def test_starts_by_hand():
    similarity = np.zeros((5, 4, 4))
    similarity[0, 0, 0] = similarity[0, 1, 1] = 1  # start 0: 2
    similarity[0, 1, 3] = 1.5  # start 2: 0 + 1.5
    similarity[1, 1, 2] = similarity[1, 2, 3] = 1  # start 2: 2, where 1 is right
    similarity[2, 3, 1] = similarity[2, 3, 3] = 1  # 1 and 3 alike: the first
    similarity[2, 0] = 9  # not in the query
    starts = matched_starts(similarity, EVENTS)
    assert starts.tolist() == [0, 2, 1, -1, -1]
    assert cross_modal_accuracy(starts, EVENTS) == pytest.approx(1 / 3)


def test_windows_lie_within_what_is_scored():
    of_row, scored = events(".##..."), events(".####.")
    trivial = trivial_matches(of_row, scored)  # starts 1, 2 and 3
    assert (trivial.chance, trivial.first, trivial.last) == (pytest.approx(1 / 3), 1, 0)
    similarity = np.zeros((1, 6, 6))
    similarity[0, :, 5] = 9
    assert matched_starts(similarity, of_row, scored).tolist() == [1]
    assert trivial_matches(of_row, of_row).n_rows == 0


@given(st.integers(0, 10_000), st.integers(2, 8), st.integers(1, 7), st.integers(0, 7))
def test_a_perfect_similarity_finds_every_event(seed, n_segments, length, start):
    assume(length < n_segments and start + length <= n_segments)
    of_row = np.zeros((1, n_segments), dtype=bool)
    of_row[0, start : start + length] = True
    distance = np.random.default_rng(seed).random((1, n_segments, n_segments)) + 0.1
    distance[0, np.arange(n_segments), np.arange(n_segments)] = 0
    assert matched_starts(-distance, of_row).tolist() == [start]
    trivial = trivial_matches(of_row)
    assert trivial.chance == pytest.approx(1 / (n_segments - length + 1))
    assert trivial.first + trivial.last == (start in (0, n_segments - length))


TARGETS = [[0, 0, 2, 2], [2, 2, 2, 1]]
HEARD = predictions_of([[0, 0, 2, 2], [2, 1, 2, 1]], TARGETS, model="hears")
SEEN = predictions_of([[2, 0, 0, 2], [2, 2, 2, 1]], TARGETS, model="sees")


def test_matching_by_class_probabilities():
    found = match(HEARD, SEEN)
    # A2V: row 0 asks with 0 0, seen from 1 on: wrong; row 1 asks with 1, seen at 3: right
    # V2A: row 0 asks with 2 0; the heard 0 0 and 2 2 have one in common, 0 2 none: the first
    # of equals is right; row 1 asks with 1, heard at 1 and at 3: the first is wrong
    assert (found.a2v, found.v2a) == (0.5, 0.5)
    assert (found.audio, found.visual) == ("hears", "sees")
    assert found.trivial.chance == pytest.approx((1 / 3 + 1 / 4) / 2)
    assert (found.trivial.first, found.trivial.last) == (0.5, 0.5)


def test_other_rows_or_labels_are_refused():
    for change in (
        {"rows": np.array([0, 2])},
        {"labels": LabelSet(("bark", "bell"))},
        {"truth": SEEN.truth[:, :3]},
    ):
        with pytest.raises(UsageError, match="same rows"):
            match(HEARD, replace(SEEN, **change))


def ave_events(dataset, rows) -> np.ndarray:
    grid = Grid(10, Fraction(1))
    return np.stack([dataset.targets(row, grid).events.any(axis=-1) for row in rows])


@pytest.mark.real
def test_the_trivial_answers_of_aves_supervised_test_rows(real_data):
    """The cross-modality task has a split of its own, `test_order_match.h5`, lost to us here."""
    dataset = load_dataset(real_data / "AVE_Dataset")
    trivial = trivial_matches(ave_events(dataset, [row for _, row in dataset.split("test")]))
    assert trivial.n_rows == 141
    percents = [round(100 * x, 1) for x in (trivial.chance, trivial.first, trivial.last)]
    assert percents == [20.1, 36.2, 43.3]
