"""Events as blocks along a time line."""

from __future__ import annotations

import math
from collections.abc import Iterable

from PIL import ImageDraw

from avloc.colours import Colour, ink_on, label_colour
from avloc.export.axis import STEPS
from avloc.export.heatmap.layout import Layout
from avloc.export.lettering import clock, fitted
from avloc.export.lines import one_line
from avloc.labels import LabelSet
from avloc.timeline import Event

DIM: Colour = (172, 177, 188)
TROUGH: Colour = (50, 54, 63)


def draw_track(
    pen: ImageDraw.ImageDraw, layout: Layout, n: int, events: Iterable[Event], labels: LabelSet
) -> None:
    """Draw track ``n``: its ground, and a block an event, named where the name fits."""
    top, bottom = layout.track_top(n), layout.track_top(n) + layout.row - 1
    pen.rectangle((layout.left, top, layout.right, bottom), TROUGH)
    for event in events:
        if event.start >= layout.total:
            continue  # a true event past the video's end
        start = layout.x_of(event.start)
        end = max(layout.x_of(event.end), start + 3)
        colour = label_colour(event.label, labels)
        pen.rectangle((start, top, end - 2, bottom), colour)  # a gap of one between blocks
        word = fitted(one_line(event.label), layout.small, end - start - 0.6 * layout.em)
        if len(word) > 2 or word == event.label:
            place = (start + 0.3 * layout.em, (top + bottom) / 2)
            pen.text(place, word, ink_on(colour), layout.small, anchor="lm")


def draw_ticks(pen: ImageDraw.ImageDraw, layout: Layout) -> None:
    """Draw the time line's numbers, as close as they can be read."""
    top = layout.tracks_bottom
    step = _step(layout)
    for n in range(math.floor(layout.total / step + 1e-6) + 1):
        x = layout.x_of(n * step)
        pen.line((x, top, x, top + 0.25 * layout.em), DIM)
        word = _tick(n * step, layout.total)
        half = layout.small.getlength(word) / 2
        inside = min(max(x, layout.left + half), layout.right - half)
        pen.text((inside, top + 0.4 * layout.em), word, DIM, layout.small, anchor="mt")


def _step(layout: Layout) -> float:
    widest = layout.small.getlength(_tick(layout.total, layout.total)) + 1.2 * layout.em
    n_most = max(1.0, (layout.right - layout.left) / widest)
    return next((step for step in STEPS if layout.total / step <= n_most), layout.total)


def _tick(seconds: float, total: float) -> str:
    return f"{seconds:.3g} s" if total < 60 else clock(seconds, total)
