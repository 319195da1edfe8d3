"""A timeline at one moment of playing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def presence_at(events: Sequence[Event], seconds: float) -> float:
    """Return 1 within an event, 0 away from all, and a short fade at their edges."""
    away = (max(event.start - seconds, seconds - event.end, 0.0) for event in events)
    return max(0.0, 1.0 - min(away, default=_FADE_SECONDS) / _FADE_SECONDS)


def total_seconds(timeline: Timeline) -> float:
    """Return the video's length; the grid's where the timeline does not know it."""
    return timeline.duration or float(timeline.grid.n_segments * timeline.grid.segment_seconds)
