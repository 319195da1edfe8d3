"""The rows of a figure. Each has its own axes, which are as many units wide as columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from PIL import Image, ImageOps

from avloc.colours import Colour, as_hex, ink_on, label_colour
from avloc.export.axis import moment, ticks
from avloc.export.heat_style import HeatStyle
from avloc.export.lines import one_line
from avloc.export.pictures import Frame, lay_heat
from avloc.labels import LabelSet
from avloc.timeline import Event, FloatArray

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as fractions of the picture."""

INK, DIM, PAPER, GREEN = "#191c22", "#5f646e", "#eef0f3", "#46f05a"
SMALL = 5.5  # points
_SIZES = (6.5, SMALL, 4.5)
GAP = 0.03  # of a column
_EDGE = withStroke(linewidth=1.8, foreground="black")  # seen on any picture


@dataclass(frozen=True)
class Columns:
    """The segments of a band, each of ``seconds``, in a row that is ``n_across`` columns wide."""

    segments: Sequence[int]
    seconds: float
    n_across: int

    def runs(self) -> list[tuple[int, int, float]]:
        """Return (column, segment, length) of each run of segments that follow one another."""
        pairs = groupby(enumerate(self.segments), key=lambda pair: pair[1] - pair[0])
        runs = [list(run) for _, run in pairs]
        # a gap where time is left out
        return [(*run[0], len(run) - (0 if run is runs[-1] else GAP)) for run in runs]


@dataclass(frozen=True)
class Row:
    """A row with its name in the margin; rows of pictures share the room that is left."""

    name: str
    height: float | None  # inches; None for pictures
    draw: Callable[[Axes, Columns], None]
    is_bold: bool = False
    after: float = 0.02  # inches of space below it


def fit(text: Text, room: float, sizes: Sequence[float]) -> None:
    """Make a text smaller, then cut it, until it is at most ``room`` dots wide."""
    for size in sizes:
        text.set_fontsize(size)
        if text.get_window_extent().width <= room:
            return
    whole = text.get_text()
    for n in range(min(len(whole), 200), 0, -1):
        text.set_text(whole[:n].rstrip() + "…")
        if text.get_window_extent().width <= room:
            return
    text.set_text("")


def draw_times(axes: Axes, columns: Columns, total: float) -> None:
    """Draw the moment at which each column begins."""
    for n, segment in enumerate(columns.segments):
        word = moment(segment * columns.seconds, total)
        _write(axes, n, word, 1 - GAP, [SMALL], DIM)


def draw_ticks(axes: Axes, columns: Columns) -> None:
    """Draw round moments along the one column of a whole video."""
    for second in ticks(columns.seconds):
        x = second / columns.seconds
        align = "left" if x < 0.02 else "right" if x > 0.98 else "center"
        axes.vlines(x, 0.85, 1, DIM, linewidth=0.5)
        _write(axes, x, moment(second, columns.seconds), 1, [SMALL], DIM, align)


def draw_sound(axes: Axes, columns: Columns, loudness: FloatArray) -> None:
    """Draw the sound's envelope, (T, n), as high as its loudest moment allows."""
    levels = np.abs(np.nan_to_num(loudness, posinf=0, neginf=0)).astype(np.float64)
    levels = np.maximum(levels / (levels.max() or 1), 0.01)
    axes.set_ylim(-1, 1)
    for column, first, length in columns.runs():
        heights = levels[first : first + round(length)].ravel()
        across = column + (np.arange(len(heights)) + 0.5) / levels.shape[1]
        axes.fill_between(across, -heights, heights, color=DIM, linewidth=0.2)


def draw_pictures(
    axes: Axes,
    columns: Columns,
    frames: Mapping[int, Frame],
    maps: Sequence[FloatArray | None] | None,
    style: HeatStyle,
    boxes: Sequence[Sequence[Box]] | None = None,
) -> None:
    """Draw the frames, whole and in the middle of their cells, under maps and boxes."""
    wide, high = columns.n_across / axes.bbox.width, 1 / axes.bbox.height  # of a dot
    room = max(1, round((1 - GAP) / wide)), max(1, round(axes.bbox.height))
    for n, segment in enumerate(columns.segments):
        if segment not in frames:
            continue
        picture = Image.fromarray(frames[segment])
        picture = ImageOps.contain(picture, room, Image.Resampling.LANCZOS)
        picture = lay_heat(picture, None if maps is None else maps[segment], style)
        across, down = picture.width * wide, picture.height * high
        left, bottom = n + (1 - across) / 2, (1 - down) / 2
        extent = (left, left + across, bottom, bottom + down)
        axes.imshow(np.asarray(picture), extent=extent, aspect="auto")
        for x0, y0, x1, y1 in () if boxes is None else boxes[segment]:
            corner = left + x0 * across, bottom + (1 - y1) * down
            outline = Rectangle(corner, (x1 - x0) * across, (y1 - y0) * down, fill=False)
            outline.set(edgecolor=GREEN, linewidth=1.0, path_effects=[_EDGE])
            axes.add_patch(outline)


def draw_events(axes: Axes, columns: Columns, events: Sequence[Event], labels: LabelSet) -> None:
    """Draw events as blocks in their labels' colours, with the label where there is room."""
    dot, runs = columns.n_across / axes.bbox.width, columns.runs()
    ground = [(column, length) for column, _, length in runs]
    axes.broken_barh(ground, (0, 1), color=PAPER, zorder=0)
    axes.vlines(range(1, len(columns.segments)), 0, 1, "white", linewidth=0.5, zorder=0.5)
    spans, colours = [], []
    for column, first, length in runs:
        for event in events:
            start = max(event.start / columns.seconds - first, 0)
            end = min(event.end / columns.seconds - first, length)
            if start < end:
                width = max(end - start - 2 * dot, 3 * dot)  # the shortest event is still seen
                colour = label_colour(event.label, labels)
                spans.append((column + start, width))
                colours.append(as_hex(colour))
                ink = INK if ink_on(colour) == (0, 0, 0) else "white"
                middle = column + start + width / 2
                _write(axes, middle, event.label, width - 8 * dot, _SIZES, ink, "center")
    axes.broken_barh(spans, (0, 1), color=colours)


def draw_gate(axes: Axes, columns: Columns, gate: FloatArray, colour: Colour) -> None:
    """Draw the gate of a sense: a bar and its number for each segment."""
    values = np.clip(gate[list(columns.segments)], 0, 1).tolist()
    cells = [(n + GAP / 2, 1 - GAP) for n in range(len(values))]
    bars = [(left, np.nan_to_num(v) * room) for (left, room), v in zip(cells, values, strict=True)]
    axes.broken_barh(cells, (0, 1), color=PAPER, zorder=0)
    axes.broken_barh(bars, (0, 1), color=as_hex(colour))
    for n, value in enumerate(values):
        number = "–" if np.isnan(value) else f"{value:.2f}"
        _write(axes, n + 0.5, number, 1 - GAP, [SMALL], INK, "center")


def _write(
    axes: Axes,
    x: float,
    text: str,
    room: float,
    sizes: Sequence[float],
    color: str,
    align: str = "left",
) -> None:
    """Write a line that takes at most ``room`` columns; nothing if only two letters fit."""
    dots, line = room * axes.bbox.width / axes.get_xlim()[1], one_line(text)
    if dots < 12:
        return
    written = axes.text(x, 0.5, line, color=color, ha=align, va="center_baseline")
    fit(written, dots, sizes)
    if written.get_text() != line and len(written.get_text()) < 3:
        written.remove()
