"""The rows of a figure. Each has its own axes, which are as many units wide as columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from PIL import Image, ImageOps

from avloc.colours import SENSE_COLOURS, Colour, as_hex, faded, ink_on, label_colour
from avloc.export.axis import moment, ticks
from avloc.export.confidence import LIMITS, confidence, opacity
from avloc.export.heat_style import HeatStyle
from avloc.export.lanes import Lanes
from avloc.export.lines import one_line
from avloc.export.pictures import Frame, lay_heat
from avloc.export.sense_letters import LETTERS, are_unknown
from avloc.labels import LabelSet
from avloc.timeline import Event, FloatArray

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as fractions of the picture."""

INK, DIM, PAPER, GREEN = "#191c22", "#5f646e", "#eef0f3", "#46f05a"
SMALL = 5.5  # points
_SIZES = (6.5, SMALL, 4.5)
_WHITE: Colour = (255, 255, 255)
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
    presence: FloatArray | None = None,
) -> None:
    """Draw the frames, whole and in the middle of their cells, under maps and boxes.

    The ``presence`` (T,) of a map is its strength, 1 without.
    """
    wide, high = columns.n_across / axes.bbox.width, 1 / axes.bbox.height  # of a dot
    room = max(1, round((1 - GAP) / wide)), max(1, round(axes.bbox.height))
    for n, segment in enumerate(columns.segments):
        if segment not in frames:
            continue
        picture = Image.fromarray(frames[segment])
        picture = ImageOps.contain(picture, room, Image.Resampling.LANCZOS)
        share = 1.0 if presence is None else float(presence[segment])
        picture = lay_heat(picture, None if maps is None else maps[segment], style, share)
        across, down = picture.width * wide, picture.height * high
        left, bottom = n + (1 - across) / 2, (1 - down) / 2
        extent = (left, left + across, bottom, bottom + down)
        axes.imshow(np.asarray(picture), extent=extent, aspect="auto")
        for x0, y0, x1, y1 in () if boxes is None else boxes[segment]:
            corner = left + x0 * across, bottom + (1 - y1) * down
            outline = Rectangle(corner, (x1 - x0) * across, (y1 - y0) * down, fill=False)
            outline.set(edgecolor=GREEN, linewidth=1.0, path_effects=[_EDGE])
            axes.add_patch(outline)


def draw_events(
    axes: Axes, columns: Columns, events: Sequence[Event], labels: LabelSet, lanes: Lanes
) -> None:
    """Draw events as blocks in their labels' colours, fainter where they are less sure.

    Each has the letter of its sense, if any is known, and the label where there is room.
    """
    dot, runs, has_letters = _dot(axes), columns.runs(), not are_unknown(events)
    high = 1 / lanes.n_lanes
    axes.broken_barh(
        [(column, length) for column, _, length in runs], (0, 1), color=PAPER, zorder=0
    )
    axes.vlines(range(1, len(columns.segments)), 0, 1, "white", linewidth=0.5, zorder=0.5)
    edges = high * np.arange(1, lanes.n_lanes)
    axes.hlines(edges, 0, columns.n_across, "white", linewidth=1, zorder=0.5)
    corners, colours = [], []
    for column, first, length in runs:
        for event, lane in lanes.shown(events):
            start = max(event.start / columns.seconds - first, 0)
            end = min(event.end / columns.seconds - first, length)
            if start < end:
                left, top = column + start, 1 - lane * high
                right = left + max(end - start - 2 * dot, 3 * dot)  # the shortest is still seen
                bottom = top - high * (1 if lanes.n_lanes == 1 else 0.94)
                corners.append([(left, bottom), (left, top), (right, top), (right, bottom)])
                colour = faded(label_colour(event.label, labels), opacity(event.score), _WHITE)
                colours.append(as_hex(colour))
                ink = INK if ink_on(colour) == (0, 0, 0) else "white"
                _write_event(axes, event, (left, right), (bottom + top) / 2, ink, has_letters)
    axes.add_collection(PolyCollection(corners, facecolors=colours), autolim=False)


def _write_event(
    axes: Axes, event: Event, ends: tuple[float, float], y: float, ink: str, has_letter: bool
) -> None:
    """Write the letter of a sense on its colour, then the label, in a block from end to end."""
    dot, (left, right) = _dot(axes), ends
    if has_letter and right - left > 30 * dot:
        ground = {"boxstyle": "square,pad=0.15", "edgecolor": INK, "linewidth": 0.4}
        ground["facecolor"] = as_hex(SENSE_COLOURS[event.sense])
        look: dict[str, Any] = {
            "size": 4.5,
            "color": INK,
            "weight": "bold",
            "va": "center_baseline",
        }
        text = axes.text(left + 7 * dot, y, LETTERS[event.sense], bbox=ground, **look)
        left += text.get_window_extent().width * dot + 12 * dot
    word = confidence(event.score)
    longer = event.label if word == LIMITS[0][0] else f"{event.label}, {word}"
    middle, room = (left + right) / 2, right - left - 8 * dot
    _write(axes, middle, event.label, room, _SIZES, ink, "center", y, longer)


def draw_bars(axes: Axes, columns: Columns, shares: FloatArray, colour: Colour) -> None:
    """Draw (T,) shares of 1: a bar and its number for each segment."""
    values = np.clip(shares[list(columns.segments)], 0, 1).tolist()
    cells = [(n + GAP / 2, 1 - GAP) for n in range(len(values))]
    bars = [(left, np.nan_to_num(v) * room) for (left, room), v in zip(cells, values, strict=True)]
    axes.broken_barh(cells, (0, 1), color=PAPER, zorder=0)
    axes.broken_barh(bars, (0, 1), color=as_hex(colour))
    for n, value in enumerate(values):
        number = "–" if np.isnan(value) else f"{value:.2f}"
        _write(axes, n + 0.5, number, 1 - GAP, [SMALL], INK, "center")


def _dot(axes: Axes) -> float:
    """Return how many columns a dot is wide."""
    return float(axes.get_xlim()[1] / axes.bbox.width)


def _write(
    axes: Axes,
    x: float,
    text: str,
    room: float,
    sizes: Sequence[float],
    color: str,
    align: str = "left",
    y: float = 0.5,
    longer: str = "",
) -> None:
    """Write a line that takes at most ``room`` columns; nothing if only two letters fit.

    The longer text is written instead if it fits at the largest size.
    """
    dots, line = room / _dot(axes), one_line(text)
    if dots < 12:
        return
    style: dict[str, Any] = {"color": color, "ha": align, "va": "center_baseline"}
    written = axes.text(x, y, one_line(longer) or line, size=sizes[0], **style)
    if longer and written.get_window_extent().width > dots:
        written.set_text(line)
    whole = written.get_text()
    fit(written, dots, sizes)
    if written.get_text() != whole and len(written.get_text()) < 3:
        written.remove()
