"""Labels as plain lines, and times to the millisecond."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from avloc.timeline import Event

NAMELESS = "unnamed"  # a label of white space alone


def one_line(text: str) -> str:
    """Return ``text`` as one line: white space and control characters become single spaces."""
    return " ".join("".join(" " if _is_unwritable(c) else c for c in text).split())


def label_line(label: str) -> str:
    """Return a label as one line that is not empty: tools refuse or drop an empty label."""
    return one_line(label) or NAMELESS


def _is_unwritable(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs") or character in "\ufffe\uffff"


def in_order(events: Iterable[Event]) -> list[Event]:
    """Return events by start, then end: subtitle formats ask for rising starts."""
    return sorted(events, key=lambda event: (event.start, event.end))


def milliseconds(event: Event) -> tuple[int, int]:
    """Return an event's start and end in whole milliseconds, at least one apart."""
    start = max(0, round(event.start * 1000))
    return start, max(start + 1, round(event.end * 1000))


def clock(milliseconds: int, mark: str) -> str:
    """Return ``HH:MM:SS<mark>mmm``; the hours grow past two digits when they must."""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02}:{minute:02}:{second:02}{mark}{rest:03}"
