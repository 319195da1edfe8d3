"""A timeline in a notebook: a strip of its events and their table, as a fragment of HTML.

No script, no style sheet, and the text in the notebook's own colour, so that it is read on a
light page and on a dark one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import jinja2

from avloc.colours import as_hex, ink_on, label_colour
from avloc.labels import LabelSet
from avloc.timeline import Event, Timeline

MOST_ROWS = 20

_NARROWEST = 0.25  # percent of the strip: under two pixels of the widest


@dataclass(frozen=True)
class _Block:
    """An event: its place on the strip in percent, its numbers and its look."""

    left: float
    width: float
    start: float
    end: float
    label: str
    score: float
    colour: str
    ink: str


def timeline_html(timeline: Timeline) -> str:
    """Return a fragment of HTML: a title line, a strip of the events, and their table.

    The strip shows every event; of those that lie at the same position, one. The table shows
    the first `MOST_ROWS` and says how many more there are.
    """
    whole, n = float(timeline.grid.n_segments * timeline.grid.segment_seconds), len(timeline)
    is_known = math.isfinite(timeline.duration) and timeline.duration > 0
    facts = (
        f"{timeline.duration:.1f} s" if is_known else "",
        timeline.model,
        f"{n or 'no'} event{'' if n == 1 else 's'}",
        *(flag.replace("_", " ") for flag in timeline.flags),
    )
    blocks = [_block(event, whole, timeline.labels) for event in timeline]
    text = _template().render(
        name=timeline.video_id,
        facts=[fact for fact in facts if fact],
        whole=whole,
        blocks=list(_apart(blocks)),
        rows=blocks[:MOST_ROWS],
        n_more=max(0, len(blocks) - MOST_ROWS),
        seconds=_seconds,
    )
    # A notebook is JSON in UTF-8, which cannot hold a file name's lone surrogates.
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _block(event: Event, whole: float, labels: LabelSet) -> _Block:
    left, right = (100 * min(max(s / whole, 0.0), 1.0) for s in (event.start, event.end))
    left = min(left, 100 - _NARROWEST)
    colour = label_colour(event.label, labels)
    return _Block(
        left,
        max(right - left, _NARROWEST),
        event.start,
        event.end,
        event.label,
        event.score,
        as_hex(colour),
        as_hex(ink_on(colour)),
    )


def _apart(blocks: Sequence[_Block]) -> Iterator[_Block]:
    """Leave out blocks that would lie on another: hours of events would swell the notebook."""
    drawn: set[tuple[int, int]] = set()
    for block in blocks:
        place = (int(block.left / _NARROWEST), math.ceil(block.width / _NARROWEST))
        if place not in drawn:
            drawn.add(place)
            yield block


def _seconds(value: float) -> str:
    return f"{value:.2f}".removesuffix("0").removesuffix(".0")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("avloc.export", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("notebook.html.j2")
