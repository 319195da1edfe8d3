"""A timeline at one moment of playing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.export.confidence import opacity
from avloc.timeline import Event, Grid, Timeline

NO_EVENT = "no event"
_FADE_SECONDS = 0.2


def at_moment(values: NDArray[Any], grid: Grid, seconds: float) -> NDArray[np.float32]:
    """Interpolate (T, ...) segment values between segment middles; constant at both ends."""
    position = np.clip(seconds / float(grid.segment_seconds) - 0.5, 0, grid.n_segments - 1)
    before = int(position)
    after = min(before + 1, grid.n_segments - 1)
    share = np.float32(position - before)
    return np.asarray((1 - share) * values[before] + share * values[after], dtype=np.float32)


def event_at(events: Sequence[Event], seconds: float) -> Event | None:
    """Return the event of the highest score at a moment, None between events."""
    current = [event for event in events if event.start <= seconds < event.end]
    return max(current, key=lambda event: event.score, default=None)


def events_of_segments(timeline: Timeline) -> NDArray[np.int64]:
    """Return (T,): the index of the strongest event at each segment's middle, -1 for none."""
    middles, events = timeline.middles(), timeline.events
    strongest = np.full(len(middles), -1)
    for n in sorted(range(len(events)), key=lambda n: (events[n].score, -n)):
        first, last = np.searchsorted(middles, (events[n].start, events[n].end))
        strongest[first:last] = n
    return np.asarray(strongest, dtype=np.int64)


def no_event_scores(timeline: Timeline) -> NDArray[np.float32]:
    """Return (T,): the probability of no event; of independent labels, 1 less the highest score."""
    background = timeline.background()
    if background is not None:
        return background
    return np.asarray(1 - timeline.scores.max(axis=1), np.float32)


def presence_at(events: Sequence[Event], seconds: float) -> float:
    """Return the opacity of the moment's strongest event, 0 away from all, a fade between."""
    shares = (_nearness(event, seconds) * opacity(event.score) for event in events)
    return max(shares, default=0.0)


def _nearness(event: Event, seconds: float) -> float:
    """Return 1 within an event, 0 away from it."""
    away = max(event.start - seconds, seconds - event.end, 0.0)
    return max(0.0, 1.0 - away / _FADE_SECONDS)


def total_seconds(timeline: Timeline) -> float:
    """Return the video's length; the grid's where the timeline does not know it."""
    return timeline.duration or float(timeline.grid.n_segments * timeline.grid.segment_seconds)
