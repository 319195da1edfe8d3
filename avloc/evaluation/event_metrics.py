"""Event metrics: runs of one class are events, matched by their overlap in time."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from avloc.datasets.examples import IGNORED

Run = tuple[int, int, int]
"""A class, and the first and the last segment of its run, the latter exclusive."""


def event_f1(
    predicted: NDArray[np.int64],
    targets: NDArray[np.int64],
    background: int,
    threshold: float = 0.5,
) -> float | None:
    """Return F1 of events: same class and tIoU of at least ``threshold``, each matched once.

    Args:
        predicted: (R, T) class indices; they do not count where the target is ignored.
        targets: (R, T) class indices.
        background: the class that is not an event.
        threshold: the least tIoU.

    Returns:
        F1 over all rows; None without any event, true or predicted.
    """
    n_matched = n_events = 0
    for guess, truth in zip(np.where(targets == IGNORED, IGNORED, predicted), targets, strict=True):
        guessed, true = _events(guess, background), _events(truth, background)
        n_matched += _n_matched(guessed, true, threshold)
        n_events += len(guessed) + len(true)
    return 2 * n_matched / n_events if n_events else None


def overlap(one: Run, other: Run) -> float:
    """Return tIoU: the segments in both runs over the segments in either."""
    shared = min(one[2], other[2]) - max(one[1], other[1])
    spanned = (one[2] - one[1]) + (other[2] - other[1]) - shared
    return max(shared, 0) / spanned


def _events(classes: NDArray[np.int64], background: int) -> list[Run]:
    """Return the runs of event classes in one row, (T,)."""
    events = []
    for label, run in groupby(range(len(classes)), key=lambda t: int(classes[t])):
        segments = list(run)
        if label not in (background, IGNORED):
            events.append((label, segments[0], segments[-1] + 1))
    return events


def _n_matched(guessed: list[Run], true: list[Run], threshold: float) -> int:
    """Match greedily, the greatest overlap first."""
    pairs = [
        (-tiou, i, j)
        for i, guess in enumerate(guessed)
        for j, truth in enumerate(true)
        if guess[0] == truth[0] and (tiou := overlap(guess, truth)) >= threshold
    ]
    taken_guesses: set[int] = set()
    taken_truths: set[int] = set()
    for _, i, j in sorted(pairs):
        if i not in taken_guesses and j not in taken_truths:
            taken_guesses.add(i)
            taken_truths.add(j)
    return len(taken_truths)
