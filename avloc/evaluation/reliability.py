"""Is an answer of confidence 0.8 right in 80 of 100 cases?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.counts import Marks
from avloc.evaluation.event_matching import EventLists, judge

_N_BINS = 10
_TIOU = 0.5


@dataclass(frozen=True)
class ReliabilityBin:
    """The answers whose confidence is from ``low`` to below ``high`` (1 is in the last bin)."""

    low: float
    high: float
    confidence: float  # their mean
    share_right: float
    n_answers: int


@dataclass(frozen=True)
class Reliability:
    """The bins that have answers, and the mean gap between confidence and share of right ones."""

    bins: tuple[ReliabilityBin, ...]
    error: float  # expected calibration error: each bin's gap weighted by its answers
    n_answers: int


def reliability(
    confidence: NDArray[np.floating], is_right: NDArray[np.bool_]
) -> Reliability | None:
    """Sort (N,) answers into ten bins of equal width by confidence in [0, 1]; None without any."""
    if not confidence.size:
        return None
    values = confidence.astype(np.float64)
    bins = np.minimum((values * _N_BINS).astype(np.int64), _N_BINS - 1)
    counts, sums, rights = (
        np.bincount(bins, weights, _N_BINS) for weights in (None, values, is_right)
    )
    return Reliability(
        bins=tuple(
            ReliabilityBin(
                low=k / _N_BINS,
                high=(k + 1) / _N_BINS,
                confidence=float(sums[k] / counts[k]),
                share_right=float(rights[k] / counts[k]),
                n_answers=int(counts[k]),
            )
            for k in np.flatnonzero(counts)
        ),
        error=float(np.abs(sums - rights).sum() / values.size),
        n_answers=int(values.size),
    )


def event_reliability(answer: EventLists, truth: EventLists) -> Reliability | None:
    """Measure events by their scores; one is right that takes a true event at tIoU 0.5."""
    judged = judge(answer, truth, (_TIOU,))
    return reliability(judged.scores, judged.is_right[0])


def label_reliability(
    scores: NDArray[np.floating], truth: Marks, scored: Marks
) -> Reliability | None:
    """Measure each label of each segment as an answer of its own, for independent labels.

    ``scores`` and ``truth`` are (R, T, C), ``scored`` (R, T). Most labels are absent from most
    segments, so the lowest bin has most answers: read the bins beside the error.
    """
    return reliability(scores[scored].ravel(), truth[scored].ravel())
