"""Metrics on hand-made cases with known answers, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from avloc.evaluation.event_metrics import event_f1
from avloc.evaluation.metrics import (
    background_recall,
    bootstrap_interval,
    class_metrics,
    class_oracle_accuracy,
    confusion,
    constant_accuracy,
    foreground_f1,
    has_boundary,
    segment_accuracy,
)

BG = 2  # classes: 0, 1, background
TRUTH = np.array([[0, 0, 2, 2], [1, 1, 1, 1], [2, 2, -1, -1]])
GUESS = np.array([[0, 1, 2, 0], [1, 1, 2, 1], [2, 0, 0, 0]])


def test_segment_accuracy_leaves_out_what_is_not_scored():
    assert segment_accuracy(GUESS, TRUTH) == pytest.approx(6 / 10)
    assert segment_accuracy(GUESS[:0], TRUTH[:0]) is None


def test_the_class_oracle_is_right_in_the_share_of_events():
    assert class_oracle_accuracy(TRUTH, BG) == pytest.approx(6 / 10)


def test_a_constant_answer_is_right_in_the_share_of_its_class():
    for answer in range(BG + 1):
        share = (answer == TRUTH).sum() / (TRUTH != -1).sum()
        assert constant_accuracy(TRUTH, answer) == pytest.approx(share)


def test_background_and_foreground():
    assert background_recall(GUESS, TRUTH, BG) == pytest.approx(2 / 4)
    # events: 5 of 6 found, 2 background segments called events
    assert foreground_f1(GUESS, TRUTH, BG) == pytest.approx(2 * 5 / (2 * 5 + 1 + 2))
    nothing = np.full((1, 3), BG)
    assert foreground_f1(nothing, nothing, BG) is None
    assert background_recall(GUESS[1:2], TRUTH[1:2], BG) is None


def test_only_rows_whose_class_changes_have_a_boundary():
    assert has_boundary(TRUTH).tolist() == [True, False, False]


def test_class_metrics_by_hand():
    first, second, background = class_metrics(GUESS, TRUTH, ("bell", "bark", "background"))
    assert (first.precision, first.recall, first.support) == (1 / 3, 1 / 2, 2)
    assert first.accuracy == pytest.approx(2 / 4)  # the first row only
    assert (second.precision, second.recall, second.support) == (3 / 4, 3 / 4, 4)
    assert second.accuracy == pytest.approx(3 / 4)
    assert background.accuracy == pytest.approx(3 / 6)
    assert background.name == "background"


def test_a_class_that_does_not_occur_has_no_accuracy():
    absent = class_metrics(GUESS[1:2], TRUTH[1:2], ("bell", "bark", "background"))[0]
    assert absent.accuracy is None
    assert absent.support == 0


@given(arrays(np.int64, (5, 6), elements=st.integers(0, 3)), st.integers(0, 10_000))
def test_against_scikit_learn(truth, seed):
    guess = np.random.default_rng(seed).integers(0, 4, size=truth.shape)
    flat = truth.ravel(), guess.ravel()
    assert segment_accuracy(guess, truth) == pytest.approx(sklearn.metrics.accuracy_score(*flat))
    table = confusion(guess, truth, 4)
    assert table.sum() == truth.size
    assert np.trace(table) == (truth == guess).sum()
    for k, metrics in enumerate(class_metrics(guess, truth, tuple("abcd"))):
        column, row = table[:, k].sum(), table[k].sum()
        assert metrics.precision == pytest.approx(table[k, k] / column if column else 0)
        assert metrics.recall == pytest.approx(table[k, k] / row if row else 0)
        assert metrics.f1 == pytest.approx(
            sklearn.metrics.f1_score(*flat, labels=[k], average="macro", zero_division=0)
        )


def row(text: str) -> np.ndarray:
    """One row from a picture: letters are events, a dot is background, a dash not scored."""
    return np.array([{"a": 0, "b": 1, ".": BG, "-": -1}[letter] for letter in text])


@pytest.mark.parametrize(
    ("truth", "guess", "f1"),
    [
        ("aaaa....", "aaaa....", 1.0),
        ("aaaa....", "bbbb....", 0.0),
        ("aaaa....", "aa......", 1.0),  # tIoU 2/4: exactly the threshold
        ("aaaa....", "a.......", 0.0),
        ("aaaa....", "...aaaa.", 0.0),  # tIoU 1/7
        ("aaaa....", "aa.a....", 2 / 3),  # one of two matches
        ("aa..aa..", "aaaaaa..", 0.0),  # 2/6 each
        ("aabb....", "aabb....", 1.0),
        ("aabb....", "aaaa....", 2 / 3),
        ("........", "aa......", 0.0),
        ("........", "........", None),
        ("aa..----", "aa..aaaa", 1.0),
    ],
)
def test_event_f1_by_hand(truth, guess, f1):
    assert event_f1(row(guess)[None], row(truth)[None], BG) == (
        f1 if f1 is None else pytest.approx(f1)
    )


def test_an_event_is_matched_once_and_the_best_overlap_wins():
    truth, guess = row("aaaaaa.aaa"), row("aaaaaaaaaa")
    assert event_f1(guess[None], truth[None], BG) == pytest.approx(2 / 3)


def test_events_are_counted_over_all_rows():
    truth = np.stack([row("aa.."), row("bb..")])
    guess = np.stack([row("aa.."), row("...b")])
    assert event_f1(guess, truth, BG) == pytest.approx(2 / 4)


def test_bootstrap_agrees_with_the_spread_of_independent_videos():
    draw = np.random.default_rng(0)
    right = draw.random(400) < 0.7  # a video's ten segments are all right or all wrong
    truth = np.zeros((400, 10), int)
    guess = np.where(right[:, None], 0, 1) + truth
    ids = [f"v{k}" for k in range(400)]
    low, high = bootstrap_interval(guess, truth, ids)
    spread = 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / 400)
    assert low == pytest.approx(right.mean() - spread, abs=0.01)
    assert high == pytest.approx(right.mean() + spread, abs=0.01)
    assert bootstrap_interval(guess, truth, ids) == (low, high)


def test_bootstrap_keeps_a_videos_rows_together():
    draw = np.random.default_rng(0)
    guess = np.repeat((draw.random(50) < 0.5).astype(int), 8)[:, None] * np.ones((1, 5), int)
    truth = np.zeros_like(guess)
    narrow = bootstrap_interval(guess, truth, [str(k) for k in range(400)])
    wide = bootstrap_interval(guess, truth, [str(k // 8) for k in range(400)])
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


def test_bootstrap_of_one_answer_has_no_width():
    assert bootstrap_interval(TRUTH, TRUTH, ["a", "b", "c"]) == (1.0, 1.0)
