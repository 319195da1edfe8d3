"""How far what was found in a video agrees with the truth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.timeline import Event, Grid


@dataclass(frozen=True)
class Agreement:
    """Found events beside the true ones.

    Attributes:
        share: of the segments, those whose labels are exactly the true ones.
        has_same_labels: whether the video as a whole has the true labels and no other.
    """

    share: float
    has_same_labels: bool

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
    """Compare events segment by segment; an event covers the segments whose middle it holds."""
    covered, true = _covered(found, grid), _covered(truth, grid)
    none = np.zeros(grid.n_segments, np.bool_)
    differs = none.copy()
    for label in covered.keys() | true.keys():
        differs |= covered.get(label, none) != true.get(label, none)
    return Agreement(1 - float(differs.mean()), covered.keys() == true.keys())


def _covered(events: Iterable[Event], grid: Grid) -> dict[str, NDArray[np.bool_]]:
    """Return (T,) for each label that has a segment."""
    covered: dict[str, NDArray[np.bool_]] = {}
    for event in events:
        now = grid.covers(event.start, event.end)
        if now.any():
            covered[event.label] = covered.get(event.label, False) | now
    return covered
