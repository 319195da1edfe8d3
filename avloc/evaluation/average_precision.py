"""Mean average precision of events at several overlaps, by the rule of ActivityNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.event_matching import EventLists, judge

THRESHOLDS = tuple(k / 10 for k in range(1, 10))
"""The tIoU at which an event is right: 0.1 to 0.9."""
COLUMNS = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Those in the field's tables; their last column is the average over all `THRESHOLDS`."""


@dataclass(frozen=True)
class MeanAveragePrecision:
    """The mean over labels with a true event; shares from 0 to 1."""

    values: Mapping[str, float]  # by threshold, ``0.5``
    average: float  # over all of them
    n_labels: int
    n_events: int  # true events

    def at(self, threshold: float) -> float:
        """Return the value at one of the thresholds."""
        return self.values[f"{threshold:g}"]


def mean_average_precision(
    answer: EventLists, truth: EventLists, thresholds: Sequence[float] = THRESHOLDS
) -> MeanAveragePrecision | None:
    """Measure the events of each video against its true ones; None without a true event."""
    of_labels = average_precisions(answer, truth, thresholds)
    if not of_labels:
        return None
    means = np.mean(list(of_labels.values()), axis=0)
    return MeanAveragePrecision(
        values={f"{t:g}": float(of) for t, of in zip(thresholds, means, strict=True)},
        average=float(means.mean()),
        n_labels=len(of_labels),
        n_events=sum(map(len, truth)),
    )


def average_precisions(
    answer: EventLists, truth: EventLists, thresholds: Sequence[float] = THRESHOLDS
) -> dict[str, NDArray[np.float64]]:
    """Return the average precision of each label with a true event, (K,) over thresholds."""
    judged = judge(answer, truth, thresholds)
    return {
        label: _areas(judged.is_right[:, judged.labels == label], n_true)
        for label, n_true in sorted(judged.n_true.items())
    }


def _areas(is_right: NDArray[np.bool_], n_true: int) -> NDArray[np.float64]:
    """Return the area under precision over recall, precision made monotone: (K,)."""
    n_right = np.cumsum(is_right, axis=1)
    precision = n_right / np.arange(1, is_right.shape[1] + 1)
    monotone = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((monotone * is_right).sum(axis=1) / n_true)  # recall rises where one is right
