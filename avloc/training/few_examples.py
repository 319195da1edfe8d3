"""The threshold of a label, fitted to a handful of corrected videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LEAST, _MOST = 0.01, 0.99
Scores = NDArray[np.floating]
Truth = NDArray[np.bool_]


@dataclass(frozen=True)
class FittedThreshold:
    """A label's threshold before and after, and what it is worth.

    Attributes:
        before: the threshold that the label had.
        after: its new threshold; `before` if the label has no example, or if a fit is worse than
            none on videos that it has not seen.
        n_videos: the videos with an example.
        n_segments: the segments with the label.
        f1_before, f1_after: of the label's segments in all videos.
        f1_left_out: the same, each video answered with a threshold fitted to the others.
    """

    before: float
    after: float
    n_videos: int
    n_segments: int
    f1_before: float
    f1_after: float
    f1_left_out: float


def fit_to_few(scores: Sequence[Scores], truth: Sequence[Truth], before: float) -> FittedThreshold:
    """Fit one label's threshold to V videos: their scores (T,) and truth (T,).

    The fit is the threshold with the greatest F1. It is taken unless thresholds that are fitted
    without a video answer that video worse, all videos together, than ``before`` does.
    """
    n_segments = int(sum(of.sum() for of in truth))
    n_videos = sum(bool(of.any()) for of in truth)
    f1_before = _f1_of_counts(_counts(scores, truth, [before] * len(scores)))
    if not n_segments:
        return FittedThreshold(before, before, 0, 0, f1_before, f1_before, f1_before)
    left_out = []
    for n in range(len(scores)):
        others = [k for k in range(len(scores)) if k != n]
        left_out.append(_fit([scores[k] for k in others], [truth[k] for k in others], before))
    f1_left_out = _f1_of_counts(_counts(scores, truth, left_out))
    after = _fit(scores, truth, before) if f1_left_out >= f1_before else before
    f1_after = _f1_of_counts(_counts(scores, truth, [after] * len(scores)))
    return FittedThreshold(before, after, n_videos, n_segments, f1_before, f1_after, f1_left_out)


def _fit(scores: Sequence[Scores], truth: Sequence[Truth], before: float) -> float:
    """Return the threshold with the greatest F1; of equal ones, the nearest to ``before``.

    Between two neighbouring scores all thresholds are equal: it is the middle of their logits.
    """
    if not any(of.any() for of in truth):
        return before
    joined, is_true = np.concatenate(scores).astype(np.float64), np.concatenate(truth)
    levels = np.unique(np.clip(joined, _LEAST, _MOST))
    edges = np.array([_LEAST, *levels, _MOST])
    low, high = edges[:-1], edges[1:]  # thresholds in (low, high] give the same answers
    n_answers = np.array([(joined >= top).sum() for top in high])
    n_right = np.array([(joined[is_true] >= top).sum() for top in high])
    f1 = 2 * n_right / (n_answers + is_true.sum())
    middle = _sigmoid((_logit(low) + _logit(high)) / 2)
    chosen = np.where((low < before) & (before <= high), before, middle)
    distance = np.abs(_logit(chosen) - _logit(np.array(before)))
    best = np.flatnonzero(f1 >= f1.max() - 1e-9)
    return float(chosen[best[distance[best].argmin()]])


def _counts(
    scores: Sequence[Scores], truth: Sequence[Truth], thresholds: Sequence[float]
) -> tuple[int, int]:
    """Return twice the right segments, and the segments in answer and truth."""
    n_right = n_all = 0
    for of_video, is_true, threshold in zip(scores, truth, thresholds, strict=True):
        answer = of_video >= threshold
        n_right += 2 * int((answer & is_true).sum())
        n_all += int(answer.sum() + is_true.sum())
    return n_right, n_all


def _f1_of_counts(counts: tuple[int, int]) -> float:
    return counts[0] / counts[1] if counts[1] else 1.0


def _logit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(values, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-values)))
