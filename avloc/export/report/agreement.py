"""How far the events found in a video agree with the true ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from avloc.timeline import Event, Grid


@dataclass(frozen=True)
class Agreement:
    """How far found events agree with the true ones."""

    share: float  # of segments whose labels are exactly the true ones
    has_same_labels: bool  # the video as a whole has the true labels and no others

    @property
    def percent(self) -> int:
        """The share in whole percent, 100 only if every segment agrees."""
        return math.floor(100 * self.share)

    @property
    def verdict(self) -> str:
        """``agrees``, ``other times`` or ``other labels``."""
        if self.share == 1:
            return "agrees"
        return "other times" if self.has_same_labels else "other labels"


def agreement(found: Sequence[Event], truth: Sequence[Event], grid: Grid) -> Agreement:
    """Compare events segment by segment; an event covers the segments whose middle it contains."""
    found_labels, true_labels = _labels(found, grid), _labels(truth, grid)
    n_different = sum(map(set.__ne__, found_labels, true_labels))
    has_same = set().union(*found_labels) == set().union(*true_labels)
    return Agreement(1 - n_different / grid.n_segments, has_same)


def _labels(events: Iterable[Event], grid: Grid) -> list[set[str]]:
    """Return the labels of each segment."""
    labels: list[set[str]] = [set() for _ in range(grid.n_segments)]
    for event in events:
        for t in np.flatnonzero(grid.covers(event.start, event.end)):
            labels[t].add(event.label)
    return labels
