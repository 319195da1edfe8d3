"""What a model is trained on and measured against: the true labels of each segment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.labels import class_indices

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Targets:
    """The truth of T segments.

    Attributes:
        events: (T, C) the label is an event, by either sense.
        heard, seen: (T, C) the sound, or the picture, has it. An event whose sense is not known
            counts as both.
        scored: (T,) the truth is known; other segments are not scored.
    """

    events: Mask
    heard: Mask
    seen: Mask
    scored: Mask

    @classmethod
    def empty(cls, n_segments: int, n_labels: int) -> Targets:
        """Return targets without an event, all scored; the arrays may be filled in."""
        events, heard, seen = np.zeros((3, n_segments, n_labels), bool)
        return cls(events, heard, seen, np.ones(n_segments, bool))

    def __len__(self) -> int:
        return len(self.scored)

    def window(self, first: int, length: int, n_scored_before: int = 0) -> Targets:
        """Return a copy of ``length`` segments; the first ones may be scored elsewhere."""
        part = slice(first, first + length)
        events, heard, seen = (a[part].copy() for a in (self.events, self.heard, self.seen))
        scored = self.scored[part].copy()
        scored[:n_scored_before] = False
        return Targets(events, heard, seen, scored)

    @property
    def classes(self) -> NDArray[np.int64]:
        """(T,) class indices, background last; `IGNORED` where not scored."""
        return class_indices(self.events, self.scored)
