"""What ``tools/open_table.py`` measures, as functions of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Span = tuple[float, float]
LEAST_IOU = 0.5
_STEP = 0.01  # seconds


def rank_of(label: str, scores: dict[str, float | None]) -> int:
    """Return the place of a label by falling score; 1 is first.

    Equal scores count against it, and so does a score that is None: the sense abstains.
    """
    score = scores[label]
    if score is None:
        return len(scores)
    return sum(other is not None and other >= score for other in scores.values())


@dataclass(frozen=True)
class Timing:
    """How well the events of one label in one clip fit its true times.

    Attributes:
        seconds_right, seconds_answered, seconds_true: of F1 of time, which no grid rounds.
        n_matched, n_answered, n_true: events, matched with an IoU of 0.5 at least.
        boundary_errors: of each matched start and end, in seconds.
    """

    seconds_right: float
    seconds_answered: float
    seconds_true: float
    n_matched: int
    n_answered: int
    n_true: int
    boundary_errors: tuple[float, ...]

    @property
    def time_f1(self) -> float:
        """2 x right / (answered + true) seconds."""
        return 2 * self.seconds_right / (self.seconds_answered + self.seconds_true)

    @property
    def event_f1(self) -> float:
        """2 x matched / (answered + true) events."""
        return 2 * self.n_matched / (self.n_answered + self.n_true)


def timing(answer: Sequence[Span], truth: Sequence[Span], duration: float) -> Timing:
    """Compare the events of one label in one clip with its true times."""
    answer = [(start, min(end, duration)) for start, end in answer if start < duration]
    truth = joined([(start, min(end, duration)) for start, end in truth if start < duration])
    said, is_true = (_steps(spans, duration) for spans in (answer, truth))
    pairs = match(answer, truth)
    errors = [abs(answer[i][end] - truth[j][end]) for i, j in pairs for end in (0, 1)]
    return Timing(
        seconds_right=float((said & is_true).sum()) * _STEP,
        seconds_answered=float(said.sum()) * _STEP,
        seconds_true=float(is_true.sum()) * _STEP,
        n_matched=len(pairs),
        n_answered=len(answer),
        n_true=len(truth),
        boundary_errors=tuple(errors),
    )


def joined(spans: Sequence[Span]) -> list[Span]:
    """Return spans in order, those that touch or overlap as one."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def match(answer: Sequence[Span], truth: Sequence[Span]) -> list[tuple[int, int]]:
    """Return pairs of events with an IoU of 0.5 at least, the greatest first, each once."""
    pairs = [
        (-overlap, i, j)
        for i, a in enumerate(answer)
        for j, b in enumerate(truth)
        if (overlap := iou(a, b)) >= LEAST_IOU - 1e-9
    ]
    matched: list[tuple[int, int]] = []
    for _, i, j in sorted(pairs):
        if all(i != k and j != m for k, m in matched):
            matched.append((i, j))
    return matched


def iou(a: Span, b: Span) -> float:
    """Return the shared seconds of two spans over the seconds of either."""
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    return shared / (a[1] - a[0] + b[1] - b[0] - shared)


def segment_auc(scores: NDArray[np.floating], middles: NDArray, truth: Sequence[Span]) -> float:
    """Return the area under the ROC curve of a label's segments; NaN if all are the same."""
    from sklearn.metrics import roc_auc_score

    is_true = np.array([any(start <= m < end for start, end in truth) for m in middles])
    if is_true.all() or not is_true.any() or not np.isfinite(scores).all():
        return float("nan")
    return float(roc_auc_score(is_true, scores))


def _steps(spans: Sequence[Span], duration: float) -> NDArray[np.bool_]:
    middles = (np.arange(max(1, round(duration / _STEP))) + 0.5) * _STEP
    inside = [(middles >= start) & (middles < end) for start, end in spans]
    return np.any(inside, axis=0) if inside else np.zeros(len(middles), bool)
