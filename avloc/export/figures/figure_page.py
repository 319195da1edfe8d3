"""The page of a figure: title and legend, bands of rows with their names, a scale at the foot."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from avloc.errors import UsageError
from avloc.export.figures.figure_rows import DIM, GAP, INK, SMALL, Columns, Row, draw_times, fit
from avloc.export.heat_style import HeatStyle
from avloc.export.lines import one_line
from avloc.export.links import shown_names
from avloc.export.pictures import FULL, Frame, lay_heat
from avloc.timeline import Timeline

TRUTH = "truth"
DPI = 300
# inches
_WIDTH, _MIN_WIDTH = 7.0, 3.4  # the two columns of a paper
_HEIGHT, _MAX_HEIGHT = 10.0, 100.0
_MAX_COLUMN, _MIN_PICTURE, _MAX_ASPECT = 1.1, 0.27, 1.4
_MARGIN, _FOOT, _BETWEEN = 0.07, 0.09, 0.13

_HEAD: dict[str, Any] = {"loc": "upper left", "alignment": "left"}


def model_names(timelines: Sequence[Timeline], names: Sequence[str] | None = None) -> list[str]:
    """Return a short name for the model of each timeline of a video; equal ones are numbered."""
    if not timelines:
        raise UsageError("a figure needs a timeline", "Give one per model.")
    if any(timeline.grid != timelines[0].grid for timeline in timelines):
        raise UsageError(
            "the timelines have different segments, which one figure cannot show",
            "Localize the video with models of one segment length.",
        )
    given = [timeline.model for timeline in timelines] if names is None else names
    whole = [one_line(name) or "found" for name in given]
    short = [shortened(name, 18) for name in whole]
    if len({*short, TRUTH}) <= len(short):
        short = [shortened(f"{n}: {name}", 18) for n, name in enumerate(whole, start=1)]
    return short


def shortened(text: str, n_most: int) -> str:
    """Return one line of at most ``n_most`` letters."""
    line = one_line(text)
    return line if len(line) <= n_most else line[: n_most - 1].rstrip() + "…"


def draw_page(
    timeline: Timeline,
    segments: Sequence[int],
    rows: Sequence[Row],
    *,
    n_across: int,
    legend: Mapping[str, str],
    frames: Mapping[int, Frame],
    overview: Sequence[Row] = (),
    style: HeatStyle | None = None,
    note: str = "",
) -> Figure:
    """Draw rows, one column per segment, wrapped into bands of at most ``n_across`` columns.

    The overview's rows show the whole video as one column, above all bands. The frames give
    the pictures' shape, and the maps' style a scale at the foot, next to the note.
    """
    figure = Figure(dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)  # measures text
    seconds, n_segments = float(timeline.grid.segment_seconds), timeline.grid.n_segments
    total = n_segments * seconds
    times = Row("seconds" if total < 60 else "time", 0.09, partial(draw_times, total=total))
    rows = [times, *rows[:-1], replace(rows[-1], after=_BETWEEN)]
    n_across = math.ceil(len(segments) / math.ceil(len(segments) / n_across))
    parts = [segments[n : n + n_across] for n in range(0, len(segments), n_across)]
    page = [(row, Columns([0], total, 1)) for row in overview]
    page += [(row, Columns(part, seconds, n_across)) for part in parts for row in rows]

    left = 2 * _MARGIN + max(_name_width(figure, row) for row, _ in page)
    column = min((_WIDTH - left - _MARGIN) / n_across, _MAX_COLUMN)
    right = left + n_across * column
    width = max(right + _MARGIN, _MIN_WIDTH)
    head = _draw_head(figure, timeline.video_id, legend, width - 2 * _MARGIN)
    natural = column * (1 - GAP) * _aspect(frames)
    heights = _heights([row for row, _ in page], natural, _HEIGHT - head - _FOOT)
    height = head + sum(heights) + _FOOT
    if height > _MAX_HEIGHT:
        raise UsageError(f"{len(page)} rows are too much for one figure", "Show fewer models.")
    figure.set_size_inches(width, height)
    figure.subplots_adjust(left / width, _FOOT / height, right / width, 1 - head / height, hspace=0)
    grid = figure.add_gridspec(len(heights), height_ratios=heights)
    for n, (row, columns) in enumerate(page):
        axes = figure.add_subplot(grid[2 * n], frame_on=False)
        axes.set(xlim=(0, columns.n_across), ylim=(0, 1), xticks=[], yticks=[])
        axes.set_ylabel(row.name, rotation=0, ha="right", va="center_baseline", **_look(row))
        row.draw(axes, columns)
    shown = f"{len(segments)} of {n_segments} segments, evenly spread" if overview else ""
    _draw_foot(figure, "; ".join(filter(None, (shown, note))), style)
    return figure


def _aspect(frames: Mapping[int, Frame]) -> float:
    """Return the height of pictures by their width; higher ones have margins at both sides."""
    high, wide = next((frame.shape[:2] for frame in frames.values()), (0, 1))
    return min(float(high / wide), _MAX_ASPECT)


def _heights(rows: Sequence[Row], natural: float, room: float) -> list[float]:
    """Return each row's height and the space below it, in turn; the pictures fit into the room."""
    n_pictures = sum(row.height is None for row in rows)
    room -= sum((row.height or 0) + row.after for row in rows)
    picture = min(natural, max(room / max(n_pictures, 1), _MIN_PICTURE))
    pairs = ((picture if row.height is None else row.height, row.after) for row in rows)
    return list(chain.from_iterable(pairs))


def _look(row: Row) -> dict[str, Any]:
    return {"weight": "bold", "color": INK} if row.is_bold else {"size": SMALL, "color": DIM}


def _name_width(figure: Figure, row: Row) -> float:
    text = figure.text(0, 0, row.name, **_look(row))
    width = text.get_window_extent().width / DPI
    text.remove()
    return float(width)


def _draw_head(figure: Figure, video_id: str, names: Mapping[str, str], room: float) -> float:
    """Draw the title over a legend of as few lines as fit; return their height in inches."""
    title = one_line(shown_names([video_id])[0])
    patches = [Patch(color=colour, label=name) for name, colour in names.items()]
    n_columns = min(len(patches), 8)
    while True:
        head = figure.legend(handles=patches, ncols=max(n_columns, 1), title=title, **_HEAD)
        head.get_title().set_fontweight("bold")
        fit(head.get_title(), room * DPI, [8.0])
        extent = head.get_window_extent()
        if extent.width <= room * DPI or n_columns <= 1:
            return float(extent.height) / DPI + 2 * _MARGIN
        head.remove()
        n_columns -= 1


def _draw_foot(figure: Figure, note: str, style: HeatStyle | None) -> None:
    """Write a note at the left, and show at the right what the map's colours mean."""
    width, height = figure.get_size_inches()
    look: dict[str, Any] = {"size": SMALL, "color": DIM, "va": "center_baseline"}
    y = _FOOT / height
    figure.text(_MARGIN / width, y, note, **look)
    if style is None:
        return
    most = f"{FULL:g}× uniform attention or more"
    text = figure.text(1 - _MARGIN / width, y, most, ha="right", **look)
    x = text.get_window_extent().x0 / DPI / width
    weights = np.exp(np.linspace(0, np.log(FULL), 256))[None] / 256
    axes = figure.add_axes((x - 0.75 / width, y - 0.04 / height, 0.7 / width, 0.08 / height))
    axes.set_axis_off()
    axes.imshow(lay_heat(np.full((24, 256, 3), 150, np.uint8), weights, style), aspect="auto")
    figure.text(x - 0.8 / width, y, "1×", ha="right", **look)
