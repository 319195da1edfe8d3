"""The paper's figure 5: where two or more models look, over the same frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from avloc.colours import Colour
from avloc.errors import UsageError
from avloc.export.figures.columns import Band, check_most_columns, evenly, lay_bands
from avloc.export.figures.figure_file import figure_suffix, plain_style, write_figure
from avloc.export.figures.figure_frames import check_frames, draw_scale, natural_height, paste
from avloc.export.figures.figure_names import Voice, voices
from avloc.export.figures.figure_page import Legend, draw_page
from avloc.export.figures.figure_rows import Row, picture_row, time_row
from avloc.export.figures.figure_sheet import Sheet
from avloc.export.heat_style import DEFAULT_STYLE, HeatStyle
from avloc.export.links import shown_names
from avloc.export.pictures import Frame, has_event
from avloc.timeline import Timeline

FrameBox = tuple[float, float, float, float]
"""Left, top, right, bottom as fractions of the picture."""

N_SHOWN = 6
_MOST_ACROSS = 6
_BRIGHT: Colour = (70, 240, 90)


def draw_attention_figure(
    timelines: Sequence[Timeline],
    frames: Sequence[Frame | None],
    target: Path | str,
    *,
    boxes: Sequence[FrameBox | None] | None = None,
    names: Sequence[str] | None = None,
    segments: Sequence[int] | None = None,
    style: HeatStyle = DEFAULT_STYLE,
) -> Path:
    """Draw models' attention below the frames it was paid to, all on one scale.

    The first row holds the frames, each further row one model's maps over them, events or
    not. A model without attention has no row.

    Args:
        timelines: of one video, one a model.
        frames: one (h, w, 3) RGB frame a segment, best its middle; None where there is none.
        target: the file; its suffix .png, .pdf or .svg chooses the kind.
        boxes: where what sounds truly is, one or None a segment.
        names: of the models, instead of each timeline's own; equal names are numbered.
        segments: which to show, counted from 0; by default at most six, evenly spread over
            those in which an event was found, or over all where none was.
        style: how the maps look.

    Returns:
        ``target``.

    Raises:
        UnknownNameError: another suffix, or no such style.
        UsageError: no model has attention, the video has no picture, there is no such
            segment, or the timelines, frames, boxes or names do not fit each other.
        OutputError: the target cannot be written.
    """
    figure_suffix(target)
    figure = attention_figure(
        timelines, frames, boxes=boxes, names=names, segments=segments, style=style
    )
    return write_figure(figure, target)


def attention_figure(
    timelines: Sequence[Timeline],
    frames: Sequence[Frame | None],
    *,
    boxes: Sequence[FrameBox | None] | None = None,
    names: Sequence[str] | None = None,
    segments: Sequence[int] | None = None,
    style: HeatStyle = DEFAULT_STYLE,
) -> Figure:
    """Return the figure that `draw_attention_figure` writes, with the same arguments."""
    models = [model for model in voices(timelines, names) if model.timeline.attention is not None]
    if not models:
        raise UsageError(
            "none of these models has attention to show", "Take one that has, as cman or avel."
        )
    grid = timelines[0].grid
    check_frames(frames, grid.n_segments)
    _check_boxes(boxes, grid.n_segments)
    seen = [k for k, frame in enumerate(frames) if frame is not None] or [0]
    shown = (
        attention_segments(timelines, seen)
        if segments is None
        else _checked(segments, grid.n_segments)
    )
    if all(frames[k] is None for k in shown):
        raise UsageError(f"there is no picture of {timelines[0].video_id} to show attention on")
    rows = [time_row(grid), _original_row(frames, boxes)]
    rows += [_map_row(frames, model, n, style) for n, model in enumerate(models)]
    legend: Legend = [] if boxes is None else [("true place", _BRIGHT)]
    with plain_style():
        page = draw_page(
            shown_names([timelines[0].video_id])[0],
            legend,
            rows,
            lambda left, right: lay_bands(grid, shown, left, right, _MOST_ACROSS),
            lambda width: natural_height(frames, width),
        )
        draw_scale(page.sheet, page.right, page.foot, style)
    return page.sheet.figure


def attention_segments(
    timelines: Sequence[Timeline], seen: Sequence[int] | None = None
) -> list[int]:
    """Choose the segments to show: at most six, with an event if there is any.

    Args:
        timelines: of one video, one a model.
        seen: those that have a picture; all if None.
    """
    found = np.any([has_event(timeline) for timeline in timelines], axis=0)
    seen = range(len(found)) if seen is None else seen
    of_events = [k for k in seen if found[k]] or seen
    return [of_events[n] for n in evenly(len(of_events), N_SHOWN)]


def _checked(segments: Sequence[int], n_segments: int) -> list[int]:
    check_most_columns(len(segments))
    for k in segments:
        if not 0 <= k < n_segments:
            raise UsageError(f"there is no segment {k}", f"There are 0 to {n_segments - 1}.")
    return sorted(set(segments))


def _check_boxes(boxes: Sequence[FrameBox | None] | None, n_segments: int) -> None:
    if boxes is None:
        return
    if len(boxes) != n_segments:
        raise UsageError(f"{len(boxes)} boxes do not fit {n_segments} segments")
    for box in boxes:
        if box is not None and not (
            len(box) == 4 and 0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1
        ):
            raise UsageError(
                f"{box!r} is no box", "Left, top, right, bottom as fractions of the picture."
            )


def _original_row(frames: Sequence[Frame | None], boxes: Sequence[FrameBox | None] | None) -> Row:
    def paint(sheet: Sheet, band: Band, top: int, bottom: int) -> None:
        for n, k in enumerate(band.segments):
            left, right = band.cell(n)
            place = paste(sheet, (left, top, right, bottom), frames[k])
            box = None if boxes is None else boxes[k]
            if place is not None and box is not None:
                _outline(sheet, place, box)

    return Row(paint, None, "frame")


def _map_row(frames: Sequence[Frame | None], model: Voice, n: int, style: HeatStyle) -> Row:
    attention = model.timeline.attention
    maps = [None] * len(frames) if attention is None else list(attention)
    role = f"heat {n}"
    return picture_row(frames, maps, model.name, style=style, is_bold=True, role=role)


def _outline(sheet: Sheet, place: tuple[int, int, int, int], box: FrameBox) -> None:
    left, top, right, bottom = place
    width, height = right - left, bottom - top
    x0, y0, x1, y1 = box
    edges = (left + x0 * width, top + y0 * height, left + x1 * width, top + y1 * height)
    sheet.block(edges, None, edge=(0, 0, 0), points=1.8)  # seen on any picture
    sheet.block(edges, None, edge=_BRIGHT, points=1.0, role="box")
