"""From scores to events."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from avloc.errors import UnknownNameError, UsageError
from avloc.labels import LabelSet
from avloc.options import check_options, option
from avloc.timeline import Event, FloatArray, Grid, Sense

DEFAULT_THRESHOLD = 0.5
"""Of a label whose threshold was not fitted."""
Span = tuple[int, int, int]
"""The first segment, the last one (exclusive), and the label's index."""


@dataclass(frozen=True)
class EventRules:
    """How events are read off scores."""

    threshold: float = option(
        0.0,
        help="a label is an event where its score reaches this; 0 for the model's own thresholds, "
        "fitted on validation",
        minimum=0.0,
        maximum=1.0,
    )
    keep: float = option(
        1.0,
        help="an event goes on where its label still has this score (hysteresis); 1 for never",
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
    *,
    thresholds: FloatArray | None = None,
    sense_thresholds: Sequence[float] = (),
    heard: FloatArray | None = None,
    seen: FloatArray | None = None,
) -> tuple[Event, ...]:
    """Read events off scores: maximal runs of segments whose score reaches the label's threshold.

    Of exclusive labels only the likeliest of a segment can, and only if it is likelier than
    background. No event goes on after the video's end, though its last segment may.

    Args:
        scores: (T, C) probabilities of the labels.
        grid: the T segments.
        labels: the C labels.
        rules: what makes an event.
        duration: the video's seconds.
        thresholds: (C,) of the model; `DEFAULT_THRESHOLD` without.
        sense_thresholds: of the model, for ``heard`` and for ``seen`` (`sense_limits`).
        heard, seen: (T, C) what each sense alone says; None or NaN where the model cannot tell.

    Returns:
        The events by start, end and label; an event's score is its label's mean probability.
    """
    if scores.shape != (grid.n_segments, labels.n_labels):
        raise UsageError(f"scores {scores.shape} do not fit {grid.n_segments} x {labels.n_labels}")
    rules = rules or EventRules()
    rules.check_labels(labels)
    limits = _thresholds(labels, rules, thresholds)
    sense_levels = sense_limits(limits, sense_thresholds)
    times, events = grid.segment_times(), []
    for first, last, label in spans(scores, labels, limits, rules, float(grid.segment_seconds)):
        start, end = float(times[first, 0]), float(times[last - 1, 1])
        end = min(end, duration) if duration > start else end
        score = float(scores[first:last, label].mean())
        heard_of, seen_of = (_mean(array, first, last, label) for array in (heard, seen))
        sense = sense_of(heard_of, seen_of, *sense_levels[:, label].tolist())
        name = labels.names[label]
        events.append(Event(start, float(end), name, score, sense, heard_of, seen_of))
    events.sort(key=lambda event: (event.start, event.end, event.label))
    return tuple(event for event in events if rules.accept(event))


def surest_labels(
    scores: FloatArray,
    grid: Grid,
    labels: LabelSet,
    events: Sequence[Event],
    wanted: Sequence[str] = (),
) -> NDArray[np.int64]:
    """Return (T,): the label of each segment's strongest event, else the likeliest wanted one."""
    chosen = np.array([labels.index(name) for name in wanted or labels.names])
    surest = chosen[scores[:, chosen].argmax(axis=1)]
    for event in sorted(events, key=lambda event: event.score):
        surest[grid.covers(event.start, event.end)] = labels.index(event.label)
    return np.asarray(surest, np.int64)


def _mean(said: FloatArray | None, first: int, last: int, label: int) -> float | None:
    """Return what a sense says of a label over an event; None where it says nothing."""
    value = math.nan if said is None else float(said[first:last, label].mean())
    return value if math.isfinite(value) else None


def sense_limits(limits: FloatArray, fitted: Sequence[float] = ()) -> NDArray[np.float32]:
    """Return (2, C): from which ``heard`` and ``seen`` a sense knows an event of each label.

    A sense needs no more than the label's threshold, (C,) ``limits``. A model whose training
    fitted a lower one for ``heard`` and for ``seen`` has that.
    """
    own = np.asarray(fitted if len(fitted) else (1.0, 1.0), np.float32)
    return np.minimum(own[:, None], np.asarray(limits, np.float32))


def sense_of(
    heard: float | None, seen: float | None, heard_limit: float, seen_limit: float
) -> Sense:
    """Return the sense that knows an event: alone it reaches its limit (`sense_limits`).

    An event that neither reaches alone is known by both together.
    """
    if heard is None or seen is None:
        return "unknown" if heard is seen else "seen" if heard is None else "heard"
    is_heard, is_seen = heard >= heard_limit, seen >= seen_limit
    if is_heard == is_seen:
        return "both"
    return "heard" if is_heard else "seen"


def spans(
    scores: FloatArray,
    labels: LabelSet,
    thresholds: FloatArray,
    rules: EventRules,
    segment_seconds: float = 1.0,
) -> list[Span]:
    """Return the runs of (T, C) scores that are events, by label; the end is exclusive."""
    is_event = scores >= thresholds
    may_keep = scores >= rules.keep if rules.keep < 1 else np.zeros_like(is_event)
    if labels.is_exclusive:
        best = scores.argmax(axis=1)
        wins = scores.max(axis=1, initial=0.0) >= 1 - scores.sum(axis=1)  # background's probability
        is_event &= (np.arange(scores.shape[1]) == best[:, None]) & wins[:, None]
        _extend_exclusive(is_event, may_keep, scores)
    else:
        _extend(is_event, may_keep)
    n_gap = rules.min_gap / segment_seconds
    taken = np.asarray(is_event.any(axis=1) & labels.is_exclusive)  # no gap to close
    return [
        (first, last, label)
        for label in range(scores.shape[1])
        for first, last in _closed(is_event[:, label], taken, n_gap)
    ]


def runs(values: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Return the maximal runs of equal values: (start, end, value), the end exclusive."""
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    return [(start, end, int(values[start])) for start, end in pairwise(edges) if start < end]


def true_runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the maximal runs of True: (start, end), the end exclusive."""
    return [(start, end) for start, end, value in runs(flags.astype(np.int64)) if value]


def _thresholds(
    labels: LabelSet, rules: EventRules, fitted: FloatArray | None
) -> NDArray[np.float32]:
    if rules.threshold:
        return np.full(labels.n_labels, rules.threshold, np.float32)
    if fitted is not None and len(fitted):
        return np.asarray(fitted, np.float32)
    return np.full(labels.n_labels, DEFAULT_THRESHOLD, np.float32)


def _extend(is_event: NDArray[np.bool_], may_keep: NDArray[np.bool_]) -> None:
    """Let the events of each label grow into segments next to them that may be kept."""
    for label in np.flatnonzero(is_event.any(axis=0)):
        column = is_event[:, label]
        for first, last in true_runs(column | may_keep[:, label]):
            inside = np.flatnonzero(column[first:last])
            if len(inside):
                column[first:last] |= may_keep[first:last, label]


def _extend_exclusive(
    is_event: NDArray[np.bool_], may_keep: NDArray[np.bool_], scores: FloatArray
) -> None:
    """Let events grow into background; where two meet, the likelier label takes the segment."""
    while True:
        grown: dict[int, int] = {}
        for t in np.flatnonzero(~is_event.any(axis=1)).tolist():
            beside = is_event[max(0, t - 1) : t + 2].any(axis=0)
            likely = np.flatnonzero(beside & may_keep[t])
            if len(likely):
                grown[t] = int(likely[scores[t, likely].argmax()])
        if not grown:
            return
        is_event[list(grown), list(grown.values())] = True


def _closed(
    column: NDArray[np.bool_], taken: NDArray[np.bool_], n_gap: float
) -> list[tuple[int, int]]:
    """Return a label's runs; those with a shorter gap between them, not taken, become one."""
    closed: list[tuple[int, int]] = []
    for first, last in true_runs(column):
        if closed:
            gap = slice(closed[-1][1], first)
            if gap.stop - gap.start < n_gap and not taken[gap].any():
                closed[-1] = (closed[-1][0], last)
                continue
        closed.append((first, last))
    return closed
