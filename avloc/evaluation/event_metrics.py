"""Event metrics: runs of one class as events, matched by how far they overlap in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from avloc.datasets.examples import IGNORED


@dataclass(frozen=True)
class Run:
    """A maximal run of one class: segments ``first`` to ``last``, the latter exclusive."""

    label: int
    first: int
    last: int


def runs(classes: NDArray[np.int64], background: int) -> list[Run]:
    """Return the events of one row, (T,) class indices; background and ignored are none."""
    found = []
    for label, run in groupby(range(len(classes)), key=lambda t: int(classes[t])):
        segments = list(run)
        if label not in (background, IGNORED):
            found.append(Run(label, segments[0], segments[-1] + 1))
    return found


def overlap(one: Run, other: Run) -> float:
    """Return tIoU: the segments both have over the segments either has."""
    shared = min(one.last, other.last) - max(one.first, other.first)
    spanned = (one.last - one.first) + (other.last - other.first) - shared
    return max(shared, 0) / spanned


def event_f1(
    predicted: NDArray[np.int64],
    targets: NDArray[np.int64],
    background: int,
    threshold: float = 0.5,
) -> float | None:
    """Return F1 of events: same class and tIoU of at least ``threshold``, each matched once.

    Args:
        predicted: (R, T) class indices; where the target is ignored they count for nothing.
        targets: (R, T) class indices.
        background: the class that is no event.
        threshold: the least tIoU.

    Returns:
        F1 over all rows; None when there is no event, neither true nor predicted.
    """
    n_matched = n_events = 0
    for guess, truth in zip(np.where(targets == IGNORED, IGNORED, predicted), targets, strict=True):
        found, true = runs(guess, background), runs(truth, background)
        n_matched += _n_matched(found, true, threshold)
        n_events += len(found) + len(true)
    return 2 * n_matched / n_events if n_events else None


def _n_matched(found: list[Run], true: list[Run], threshold: float) -> int:
    """Match greedily, the greatest overlap first."""
    taken_found: set[int] = set()
    taken_true: set[int] = set()
    for _, i, j in sorted(_pairs(found, true, threshold)):
        if i not in taken_found and j not in taken_true:
            taken_found.add(i)
            taken_true.add(j)
    return len(taken_true)


def _pairs(found: list[Run], true: list[Run], threshold: float) -> Iterator[tuple[float, int, int]]:
    for i, one in enumerate(found):
        for j, other in enumerate(true):
            if one.label == other.label and overlap(one, other) >= threshold:
                yield -overlap(one, other), i, j
