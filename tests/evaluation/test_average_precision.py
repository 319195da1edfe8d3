"""Mean average precision: cases by hand, and the rule of ActivityNet written a second time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.evaluation.average_precision import (
    THRESHOLDS,
    average_precisions,
    mean_average_precision,
)
from avloc.evaluation.event_matching import judge, tiou
from avloc.timeline import Event


def bark(start: float, end: float, score: float = 1.0, label: str = "bark") -> Event:
    return Event(start, end, label, score)


@pytest.mark.parametrize(
    ("answer", "at_half"),
    [
        ([bark(0, 4)], 1.0),
        ([bark(0, 2)], 1.0),  # an overlap of exactly a half
        ([bark(0, 1.9)], 0.0),
        ([], 0.0),
        ([bark(0, 4, 0.9), bark(0, 4, 0.8)], 1.0),  # a wrong one behind the right one
        ([bark(0, 4, 0.8), bark(8, 9, 0.9)], 0.5),  # one before it
        ([bark(0, 4, label="bell")], 0.0),
    ],
)
def test_one_true_event(answer, at_half):
    result = mean_average_precision([answer], [[bark(0, 4)]])
    assert result.at(0.5) == pytest.approx(at_half)


def test_precision_is_made_monotone():
    """Right, wrong, right, right of four: precision 1, 1/2, 2/3, 3/4 counts as 1, 3/4, 3/4."""
    truth = [[bark(0, 1), bark(2, 3), bark(4, 5), bark(6, 7)]]
    answer = [[bark(0, 1, 0.9), bark(8, 9, 0.8), bark(2, 3, 0.7), bark(4, 5, 0.6)]]
    result = mean_average_precision(answer, truth)
    assert result.average == pytest.approx((1 + 3 / 4 + 3 / 4) / 4)


def test_an_event_takes_the_best_free_truth():
    """The second answer finds the better truth taken, and takes the other where that will do."""
    truth = [[bark(0, 10), bark(4, 10)]]
    answer = [[bark(0, 9, 0.9), bark(0, 10, 0.8)]]
    right = judge(answer, truth, (0.5, 0.7)).is_right
    assert right.tolist() == [[True, True], [True, False]]


def test_videos_and_labels_do_not_share_events():
    truth = [[bark(0, 4)], [bark(0, 4, label="bell")]]
    assert mean_average_precision([[], [bark(0, 4)]], truth).average == 0
    both = mean_average_precision([[bark(0, 4)], []], truth)
    assert (both.average, both.n_labels, both.n_events) == (0.5, 2, 2)


def test_a_label_that_is_never_true_does_not_count():
    truth, answer = [[bark(0, 4)]], [[bark(0, 4), bark(0, 4, label="bell")]]
    assert mean_average_precision(answer, truth).average == 1
    assert mean_average_precision(answer, [[]]) is None


def test_overlaps_of_a_grid_reach_their_thresholds():
    """3 of 10 s are 0.3, although 3 * 0.1 is more than 0.3; and 0.3 - 0.1 over 0.4 is a half."""
    for k in range(1, 10):
        result = mean_average_precision([[bark(0, k)]], [[bark(0, 10)]])
        assert [result.at(t) for t in THRESHOLDS] == [float(t <= k / 10) for t in THRESHOLDS]
    assert mean_average_precision([[bark(0.1, 0.3)]], [[bark(0.1, 0.5)]]).at(0.5) == 1


def test_an_event_without_length_overlaps_nothing():
    assert tiou(bark(1, 1), [bark(1, 1), bark(0, 2)]).tolist() == [0, 0]


def second_version(answer, truth, label, threshold) -> float:
    """Average precision of one label: sorted lists, locks, and a sum over recalls."""
    guesses = [(e.score, -n, v, e) for v, es in enumerate(answer) for n, e in enumerate(es)]
    guesses = [g for g in guesses if g[3].label == label]
    guesses.sort(key=lambda g: (-g[0], g[2], -g[1]))
    locked: set[tuple[int, int]] = set()
    n_true = sum(e.label == label for es in truth for e in es)
    flags = []
    for _, _, video, guess in guesses:
        overlaps = []
        for k, true in enumerate(truth[video]):
            if true.label == label:
                shared = max(0.0, min(guess.end, true.end) - max(guess.start, true.start))
                union = (guess.end - guess.start) + (true.end - true.start) - shared
                overlaps.append((-(shared / union), k))
        for overlap, k in sorted(overlaps):
            if -overlap < threshold:
                flags.append(0)
                break
            if (video, k) not in locked:
                locked.add((video, k))
                flags.append(1)
                break
        else:
            flags.append(0)
    precisions = [sum(flags[: n + 1]) / (n + 1) for n in range(len(flags))]
    recalls = [0.0, *(sum(flags[: n + 1]) / n_true for n in range(len(flags)))]
    return sum((recalls[n + 1] - recalls[n]) * max(precisions[n:]) for n in range(len(precisions)))


spans = st.builds(
    lambda start, length, label, score: Event(start, start + length, label, score),
    st.integers(0, 8),
    st.integers(1, 6),
    st.sampled_from(["bark", "bell"]),
    st.integers(0, 4).map(lambda k: k / 4),
)
videos = st.lists(st.tuples(st.lists(spans, max_size=5), st.lists(spans, max_size=4)), max_size=3)


@given(videos)
def test_against_the_second_version(drawn):
    answer, truth = [a for a, _ in drawn], [t for _, t in drawn]
    for label, values in average_precisions(answer, truth).items():
        expected = [second_version(answer, truth, label, theta) for theta in THRESHOLDS]
        np.testing.assert_allclose(values, expected)
