"""Answers without a model, as (R, T, C) bool: every metric is printed next to theirs.

``scored`` is (R, T) bool: the segments that count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.counts import Marks


def everywhere(present: NDArray[np.bool_], scored: Marks) -> Marks:
    """Return the labels ``present`` (R, C) of each video in all its segments.

    With the true labels it is an oracle that knows what happens and not when.
    """
    return np.asarray(scored[:, :, None] & present[:, None, :])


def always(label: int, n_labels: int, scored: Marks) -> Marks:
    """Return one label in all segments of all videos."""
    return everywhere(np.arange(n_labels)[None] == label, scored)


def nothing(n_labels: int, scored: Marks) -> Marks:
    """Return no label anywhere."""
    return np.zeros((*scored.shape, n_labels), dtype=bool)
