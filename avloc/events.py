"""From scores to events: which segments are one event, and which events are told."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from avloc.errors import UnknownNameError, UsageError
from avloc.labels import LabelSet
from avloc.options import check_options, option
from avloc.timeline import Event, FloatArray, Grid

Classes = NDArray[np.int64]


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
        """Refuse values out of range.

        Raises:
            UsageError: one is.
        """
        check_options(self)

    def check_labels(self, known: LabelSet) -> None:
        """Refuse a label that a model does not know.

        Raises:
            UnknownNameError: naming the nearest it knows.
        """
        for name in self.labels:
            if name not in known.names:
                raise UnknownNameError("label", name, known.names)


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

    Raises:
        UsageError: the shapes do not fit. UnknownNameError: the rules name an unknown label.
    """
    if scores.shape != (grid.n_segments, labels.n_classes):
        raise UsageError(f"scores {scores.shape} do not fit {grid.n_segments} x {labels.n_classes}")
    rules = rules or EventRules()
    rules.check_labels(labels)
    background = labels.background_index
    classes = scores.argmax(axis=1)
    _extend(classes, scores, background, rules.keep)
    _close_gaps(classes, background, rules.min_gap / float(grid.segment_seconds))
    return tuple(
        event
        for event in _events(classes, scores, grid, labels, duration)
        if _is_told(event, rules)
    )


def _extend(classes: Classes, scores: FloatArray, background: int, keep: float) -> None:
    """Let events grow into background, segment by segment, while their label is likely enough.

    Where two events meet, the likelier label of the segment takes it.
    """
    while True:
        grown = {
            t: neighbours[int(np.argmax(scores[t, neighbours]))]
            for t in np.flatnonzero(classes == background).tolist()
            if (neighbours := _likely_neighbours(classes, scores, background, keep, t))
        }
        if not grown:
            return
        classes[list(grown)] = list(grown.values())


def _likely_neighbours(
    classes: Classes, scores: FloatArray, background: int, keep: float, t: int
) -> list[int]:
    beside = classes[max(0, t - 1) : t + 2].tolist()
    return [k for k in beside if k != background and scores[t, k] >= keep]


def _close_gaps(classes: Classes, background: int, min_gap: float) -> None:
    """Give background shorter than ``min_gap`` segments to the one label on both its sides."""
    runs = list(_runs(classes))
    for (before, _), (winner, gap), (after, _) in zip(runs, runs[1:], runs[2:], strict=False):
        if winner == background and before == after and len(gap) < min_gap:
            classes[gap] = before


def _events(
    classes: Classes, scores: FloatArray, grid: Grid, labels: LabelSet, duration: float
) -> Iterator[Event]:
    times = grid.segment_times()
    for winner, segments in _runs(classes):
        if winner != labels.background_index:
            start, end = times[segments[0], 0], times[segments[-1], 1]
            end = min(end, duration) if duration > start else end
            score = float(scores[segments, winner].mean())
            yield Event(float(start), float(end), labels.all_names[winner], score)


def _runs(classes: Classes) -> Iterator[tuple[int, list[int]]]:
    """Give each maximal run of one class with its segments."""
    for winner, run in groupby(range(len(classes)), key=classes.tolist().__getitem__):
        yield winner, list(run)


def _is_told(event: Event, rules: EventRules) -> bool:
    return (
        event.end - event.start >= rules.min_seconds
        and event.score >= rules.min_score
        and (not rules.labels or event.label in rules.labels)
    )
