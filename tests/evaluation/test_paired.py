"""The paired bootstrap: against the textbook's interval, and what pairing is for."""

from __future__ import annotations

import numpy as np
import pytest

from avloc.errors import UsageError
from avloc.evaluation.paired import paired_difference

N = 400
IDS = [f"v{k}" for k in range(N)]


def test_the_interval_is_that_of_the_mean_of_differences():
    draw = np.random.default_rng(0)
    values, others = draw.normal(0.6, 0.2, N), draw.normal(0.55, 0.2, N)
    result = paired_difference(values, others, IDS)
    difference = values - others
    half = 1.96 * difference.std(ddof=1) / np.sqrt(N)
    assert result.mean == pytest.approx(difference.mean())
    assert result.interval[0] == pytest.approx(difference.mean() - half, abs=0.003)
    assert result.interval[1] == pytest.approx(difference.mean() + half, abs=0.003)
    assert result.excludes_zero == (difference.mean() > half)
    assert result.n_videos == N


def test_hard_videos_are_hard_for_both():
    """Two points better on every video is sure, whatever the videos' spread."""
    draw = np.random.default_rng(0)
    easy = draw.random(N)
    result = paired_difference(easy + 0.02 + draw.normal(0, 0.01, N), easy, IDS)
    assert result.excludes_zero
    assert result.share_above == 1.0
    assert result.interval[1] - result.interval[0] < 0.003
    back = paired_difference(easy, easy + 0.02, IDS)
    assert back.excludes_zero
    assert back.mean < 0
    assert back.share_above == 0.0


def test_equal_answers_differ_by_nothing():
    values = np.random.default_rng(0).random(N)
    result = paired_difference(values, values.copy(), IDS)
    assert (result.mean, result.interval, result.excludes_zero) == (0.0, (0.0, 0.0), False)


def test_rows_count_by_their_weight():
    """Accuracy over segments: 9 of 10 and 0 of 2 are 9 of 12."""
    accuracy, weights = np.array([0.9, 0.0, np.nan]), np.array([10, 2, 0])
    result = paired_difference(accuracy, np.zeros(3), ["a", "b", "c"], weights)
    assert result.mean == pytest.approx(9 / 12)
    assert paired_difference(accuracy, accuracy, ["a", "b", "c"], np.zeros(3)) is None


def test_rows_of_a_video_are_drawn_together():
    draw = np.random.default_rng(0)
    values = np.repeat(draw.normal(0, 1, 50), 8)
    wide = paired_difference(values, np.zeros(N), [str(k // 8) for k in range(N)])
    narrow = paired_difference(values, np.zeros(N), IDS)
    assert wide.n_videos == 50
    assert np.ptp(wide.interval) > 2 * np.ptp(narrow.interval)


def test_seeds_are_averaged_first():
    draw = np.random.default_rng(0)
    values, others = draw.random((3, N)), draw.random((5, N))
    assert paired_difference(values, others, IDS) == paired_difference(
        values.mean(axis=0), others.mean(axis=0), IDS
    )


def test_other_rows_are_refused():
    with pytest.raises(UsageError, match="rows"):
        paired_difference(np.zeros(3), np.zeros(4), ["a", "b", "c"])
