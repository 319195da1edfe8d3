"""Event metrics: runs of one class are events, matched by their overlap in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avloc.events import runs
from avloc.labels import IGNORED

_LEAST_OVERLAP = 0.5
Run = tuple[int, int, int]
"""The first segment, the last one (exclusive), and the class."""


def event_f1(
    predicted: NDArray[np.int64], targets: NDArray[np.int64], background: int
) -> float | None:
    """Return F1 of events: same class and tIoU of at least 0.5, each matched once.

    ``predicted`` and ``targets`` are (R, T). None without any event, true or predicted.
    """
    n_matched = n_events = 0
    for guess, truth in zip(np.where(targets == IGNORED, IGNORED, predicted), targets, strict=True):
        guessed, true = (
            [run for run in runs(row) if run[2] not in (background, IGNORED)]
            for row in (guess, truth)
        )
        n_matched += _n_matched(guessed, true)
        n_events += len(guessed) + len(true)
    return 2 * n_matched / n_events if n_events else None


def _overlap(guess: Run, truth: Run) -> float:
    """Return tIoU: the segments in both runs over the segments in either."""
    shared = max(0, min(guess[1], truth[1]) - max(guess[0], truth[0]))
    return shared / (guess[1] - guess[0] + truth[1] - truth[0] - shared)


def _n_matched(guessed: list[Run], true: list[Run]) -> int:
    """Match greedily, the greatest overlap first."""
    pairs = [
        (-tiou, i, j)
        for i, guess in enumerate(guessed)
        for j, truth in enumerate(true)
        if guess[2] == truth[2] and (tiou := _overlap(guess, truth)) >= _LEAST_OVERLAP
    ]
    taken_guesses: set[int] = set()
    taken_truths: set[int] = set()
    for _, i, j in sorted(pairs):
        if i not in taken_guesses and j not in taken_truths:
            taken_guesses.add(i)
            taken_truths.add(j)
    return len(taken_truths)
