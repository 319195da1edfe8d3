"""From scores to events."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from avloc.errors import UnknownNameError, UsageError
from avloc.labels import LabelSet
from avloc.options import check_options, option
from avloc.timeline import Event, FloatArray, Grid


@dataclass(frozen=True)
class EventRules:
    """How events are read off scores; the defaults are the plain argmax of each segment."""

    keep: float = option(
        1.0,
        help="an event goes on over background where its label still has this probability "
        "(hysteresis); 1 for never",
        minimum=0.0,
        maximum=1.0,
    )
    min_gap: float = option(
        0.0, help="events of one label that are fewer seconds apart become one", minimum=0.0
    )
    min_seconds: float = option(0.0, help="shorter events are left out", minimum=0.0)
    min_score: float = option(
        0.0, help="events of a lower score are left out", minimum=0.0, maximum=1.0
    )
    labels: tuple[str, ...] = option((), help="only events of these labels; all if empty")

    def __post_init__(self) -> None:
        check_options(self)

    def check_labels(self, known: LabelSet) -> None:
        """Raise `UnknownNameError` for a label that a model does not know."""
        for name in self.labels:
            if name not in known.names:
                raise UnknownNameError("label", name, known.names)

    def accept(self, event: Event) -> bool:
        """Say whether an event is long and sure enough, and of a wanted label."""
        return (
            event.end - event.start >= self.min_seconds
            and event.score >= self.min_score
            and (not self.labels or event.label in self.labels)
        )


def events_from_scores(
    scores: FloatArray,
    grid: Grid,
    labels: LabelSet,
    rules: EventRules | None = None,
    duration: float = math.inf,
) -> tuple[Event, ...]:
    """Read events off scores: maximal runs of one label that is not background.

    No event goes on after the video's end, though its last segment may.

    Args:
        scores: (T, C) probabilities.
        grid: the T segments.
        labels: the C classes.
        rules: what makes an event; the winning label of each segment by default.
        duration: the video's seconds.

    Returns:
        The events in order; an event's score is its label's mean probability over it.
    """
    if scores.shape != (grid.n_segments, labels.n_classes):
        raise UsageError(f"scores {scores.shape} do not fit {grid.n_segments} x {labels.n_classes}")
    rules = rules or EventRules()
    rules.check_labels(labels)
    background, times = labels.background_index, grid.segment_times()
    classes = scores.argmax(axis=1)
    _extend(classes, scores, background, rules.keep)
    _close_gaps(classes, background, rules.min_gap / float(grid.segment_seconds))
    events = []
    for first, last, winner in runs(classes):
        if winner != background:
            start, end = float(times[first, 0]), float(times[last - 1, 1])
            end = min(end, duration) if duration > start else end
            score = float(scores[first:last, winner].mean())
            events.append(Event(start, float(end), labels.all_names[winner], score))
    return tuple(event for event in events if rules.accept(event))


def runs(values: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Return the maximal runs of equal values: (start, end, value), the end exclusive."""
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    return [(start, end, int(values[start])) for start, end in pairwise(edges) if start < end]


def _extend(classes: NDArray[np.int64], scores: FloatArray, background: int, keep: float) -> None:
    """Let events grow into background; where two meet, the likelier label takes the segment."""
    while True:
        grown: dict[int, int] = {}
        for t in np.flatnonzero(classes == background).tolist():
            beside = [k for k in classes[max(0, t - 1) : t + 2].tolist() if k != background]
            likely = [k for k in beside if scores[t, k] >= keep]
            if likely:
                grown[t] = likely[int(np.argmax(scores[t, likely]))]
        if not grown:
            return
        classes[list(grown)] = list(grown.values())


def _close_gaps(classes: NDArray[np.int64], background: int, min_gap: float) -> None:
    all_runs = runs(classes)
    for before, gap, after in zip(all_runs, all_runs[1:], all_runs[2:], strict=False):
        start, end, winner = gap
        if winner == background and before[2] == after[2] and end - start < min_gap:
            classes[start:end] = before[2]
