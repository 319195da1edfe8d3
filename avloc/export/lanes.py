"""Lanes of a time line: events at the same time are drawn under each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from avloc.timeline import Event

MOST_LANES = 8


@dataclass(frozen=True)
class Lanes:
    """The lanes of events.

    Attributes:
        n_lanes: how many there are, at least 1.
        numbers: the lane of each event, the upper one 0; None for an event that is not drawn.
    """

    n_lanes: int
    numbers: tuple[int | None, ...]

    @property
    def n_hidden(self) -> int:
        """How many events are not drawn, because too many are at the same time."""
        return self.numbers.count(None)

    def shown(self, events: Sequence[Event]) -> list[tuple[Event, int]]:
        """Return the events that are drawn, each with its lane."""
        pairs = zip(events, self.numbers, strict=True)
        return [(event, lane) for event, lane in pairs if lane is not None]


def assign_lanes(events: Sequence[Event], n_most: int = MOST_LANES) -> Lanes:
    """Give events that overlap different lanes: as few as possible, ``n_most`` at most.

    In order of start, an event takes a free lane: preferably the last lane of its label, else the
    topmost free one. Where all ``n_most`` lanes are taken, the event of the lowest score is not
    drawn.
    """
    numbers: list[int | None] = [None] * len(events)
    last: list[int] = []  # the last event of each lane
    for n in sorted(range(len(events)), key=lambda n: (events[n].start, events[n].end)):
        event = events[n]
        free = [k for k, before in enumerate(last) if events[before].end <= event.start]
        same = [k for k in free if events[last[k]].label == event.label]
        if free:
            lane = (same or free)[0]
        elif len(last) < n_most:
            lane = len(last)
            last.append(n)
        else:
            lane = min(range(len(last)), key=lambda k: events[last[k]].score)
            if events[last[lane]].score >= event.score:
                continue
            numbers[last[lane]] = None
        numbers[n] = lane
        last[lane] = n
    return Lanes(max(len(last), 1), tuple(numbers))
