"""Events as blocks on a page's time line: positions in percent, lanes, colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from avloc.colours import Colour, as_hex, faded, ink_on, label_colour
from avloc.export.axis import Axis
from avloc.export.confidence import confidence, opacity
from avloc.export.lanes import MOST_LANES, assign_lanes
from avloc.export.sense_letters import LETTERS, WORDS, are_unknown, sense_numbers
from avloc.labels import LabelSet
from avloc.timeline import Event

DAY: Colour = (232, 234, 239)
NIGHT: Colour = (45, 50, 59)
"""A time line's ground on a light and on a dark page: ``--trough`` in report.css."""


@dataclass(frozen=True)
class Block:
    """An event on a time line: its position in percent, its lane and its colours.

    Attributes:
        event: the event.
        left, width: in percent.
        lane: the upper one is 0; None if too many events are at the same time to draw it.
        base: its label's colour.
    """

    event: Event
    left: float
    width: float
    lane: int | None
    base: Colour

    @property
    def colour(self) -> str:
        """The label's colour, ``#rrggbb``."""
        return as_hex(self.base)

    @property
    def strength(self) -> float:
        """Its opacity, by its score."""
        return opacity(self.event.score)

    @property
    def looks(self) -> list[tuple[str, str]]:
        """Its colour and that of its words, on a light and on a dark page."""
        grounds = [faded(self.base, self.strength, ground) for ground in (DAY, NIGHT)]
        return [(as_hex(ground), as_hex(ink_on(ground))) for ground in grounds]

    @property
    def letter(self) -> str:
        """The letter of its sense."""
        return LETTERS[self.event.sense]

    @property
    def sense(self) -> str:
        """Its sense in a word."""
        return WORDS[self.event.sense]

    @property
    def numbers(self) -> str:
        """What each sense says, as far as it is known."""
        return sense_numbers(self.event)

    @property
    def confidence(self) -> str:
        """Its score in a word."""
        return confidence(self.event.score)


@dataclass(frozen=True)
class Track:
    """Events on a time line, in lanes, under one word."""

    word: str
    blocks: tuple[Block, ...]
    n_lanes: int

    @cached_property
    def has_senses(self) -> bool:
        """Whether the sense of any event is known."""
        events = [block.event for block in self.blocks]
        return bool(events) and not are_unknown(events)

    @property
    def shown(self) -> list[Block]:
        """The events that are drawn."""
        return [block for block in self.blocks if block.width and block.lane is not None]

    @property
    def n_hidden(self) -> int:
        """How many events are not drawn, because too many are at the same time."""
        return sum(block.lane is None for block in self.blocks)


def track_of(
    word: str,
    events: Sequence[Event],
    axis: Axis,
    labels: LabelSet,
    n_most: int = MOST_LANES,
) -> Track:
    """Return events as they lie on a time line."""
    lanes = assign_lanes(events, n_most)
    blocks = tuple(
        Block(event, *axis.span(event.start, event.end), lane, label_colour(event.label, labels))
        for event, lane in zip(events, lanes.numbers, strict=True)
    )
    return Track(word, blocks, lanes.n_lanes)
