"""How well a quantity tells whether a label is audible, or visible: areas under ROC curves.

A *case* is a label in a segment, or a segment. Its truth is audible or not, visible or not, so
it is in one of four states. Of each state the area is that of its cases against all cases of the
opposite truth: the chance that an audible case has more ``heard`` than one that is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from avloc.evaluation.counts import Marks

STATES = ("both", "heard only", "seen only", "neither")


@dataclass(frozen=True)
class StateArea:
    """One state; an area is None where either side has no cases.

    ``heard`` is for "is audible": of an audible state its cases against all that are not
    audible, otherwise all audible cases against its own. ``seen`` is the same for "is visible".
    """

    state: str  # one of `STATES`, or ``all``: every case by its truth
    heard: float | None
    seen: float | None
    n_cases: int


def sense_areas(
    heard: NDArray[np.floating], seen: NDArray[np.floating], audible: Marks, visible: Marks
) -> tuple[StateArea, ...]:
    """Measure (N,) quantities against the truth of N cases: all of them, then each of `STATES`."""
    states = (
        audible & visible,
        audible & ~visible,
        ~audible & visible,
        ~audible & ~visible,
    )
    areas = [StateArea("all", _area(heard, audible), _area(seen, visible), audible.size)]
    for name, state in zip(STATES, states, strict=True):
        areas.append(
            StateArea(
                state=name,
                heard=_area_of_state(heard, audible, state),
                seen=_area_of_state(seen, visible, state),
                n_cases=int(state.sum()),
            )
        )
    return tuple(areas)


def label_cases(audible: Marks, visible: Marks, scored: Marks) -> Marks:
    """Return (R, T, C) bool: labels of scored segments whose video has the label in either sense.

    Of a label that a video does not have nobody asks by which sense it is known; with all labels
    the area would measure how well classes are told apart.
    """
    present = np.any((audible | visible) & scored[..., None], axis=1)
    return np.asarray(scored[..., None] & present[:, None, :])


def _area_of_state(values: NDArray[np.floating], truth: Marks, state: Marks) -> float | None:
    """Keep the state's cases and all of the opposite truth."""
    if not state.any():
        return None
    is_true = bool(truth[state][0])
    kept = state | (truth != is_true)
    return _area(values[kept], truth[kept])


def _area(values: NDArray[np.floating], truth: Marks) -> float | None:
    says = np.isfinite(values)  # a sense that abstains says NaN
    values, truth = values[says], truth[says]
    if not truth.any() or truth.all():
        return None
    return float(roc_auc_score(truth, values))
