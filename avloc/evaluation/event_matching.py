"""Which events of an answer are right: the detection rule of ActivityNet.

Events by falling score, each takes the free true event of its label and video that it overlaps
most, if the overlap is at least a threshold. Equal scores keep the order in which they came.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.timeline import Event

EventLists = Sequence[Sequence[Event]]
"""The events of each video."""
_ROUNDING = 1e-9  # of times that are not whole: 0.3 - 0.1 over 0.4 is a half


@dataclass(frozen=True)
class JudgedEvents:
    """The N events of an answer by falling score, each right or wrong at K thresholds.

    ``n_true`` counts the true events of each label.
    """

    labels: NDArray[np.str_]  # (N,)
    scores: NDArray[np.float64]  # (N,)
    is_right: NDArray[np.bool_]  # (K, N)
    n_true: Mapping[str, int]


def judge(answer: EventLists, truth: EventLists, thresholds: Sequence[float]) -> JudgedEvents:
    """Match the events of each video with its true events, at each tIoU of ``thresholds``."""
    true: dict[tuple[int, str], list[Event]] = defaultdict(list)
    for video, events in enumerate(truth):
        for event in events:
            true[video, event.label].append(event)
    guesses = [(video, event) for video, events in enumerate(answer) for event in events]
    guesses.sort(key=lambda guess: -guess[1].score)  # stable
    is_free = {key: np.ones((len(thresholds), len(events)), bool) for key, events in true.items()}
    is_right = np.zeros((len(thresholds), len(guesses)), dtype=bool)
    for n, (video, event) in enumerate(guesses):
        key = (video, event.label)
        if key in true:
            is_right[:, n] = _take(tiou(event, true[key]), is_free[key], thresholds)
    return JudgedEvents(
        labels=np.array([event.label for _, event in guesses], dtype=np.str_),
        scores=np.array([event.score for _, event in guesses], dtype=np.float64),
        is_right=is_right,
        n_true=Counter(event.label for events in truth for event in events),
    )


def tiou(event: Event, others: Sequence[Event]) -> NDArray[np.float64]:
    """Return the shared seconds of an event and each other one over the seconds of either."""
    starts, ends = np.array([(other.start, other.end) for other in others], np.float64).T
    shared = np.clip(np.minimum(event.end, ends) - np.maximum(event.start, starts), 0, None)
    either = (event.end - event.start) + (ends - starts) - shared
    return np.asarray(np.where(either > 0, shared / np.where(either > 0, either, 1), 0))


def _take(
    overlaps: NDArray[np.float64], is_free: NDArray[np.bool_], thresholds: Sequence[float]
) -> list[bool]:
    """Take the free true event of the greatest overlap; say for each threshold whether it did."""
    took = []
    for free, least in zip(is_free, thresholds, strict=True):
        best = int(np.argmax(np.where(free, overlaps, -1)))
        is_taken = bool(free[best] and overlaps[best] >= least - _ROUNDING)
        free[best] &= not is_taken
        took.append(is_taken)
    return took
