"""Frames in the cells of a figure, with a heat map or without."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from avloc.errors import UsageError
from avloc.export.figures.figure_sheet import DIM, SMALL, Sheet, breadth
from avloc.export.heat_style import DEFAULT_STYLE, HeatStyle
from avloc.export.pictures import FULL, Frame, lay_heat
from avloc.timeline import FloatArray

_TALLEST = 1.4  # of a cell's width: a portrait picture stands in the middle of its cell
_SCALE = (210, 24)


def check_frames(frames: Sequence[Frame | None], n_segments: int) -> None:
    """Refuse what is not one picture, or None, a segment.

    Raises:
        UsageError: it is not.
    """
    if len(frames) != n_segments:
        raise UsageError(f"{len(frames)} frames do not fit {n_segments} segments")
    for frame in frames:
        if frame is not None and not _is_picture(frame):
            raise UsageError(f"a frame is (h, w, 3) RGB bytes, not {frame.dtype} {frame.shape}")


def natural_height(frames: Sequence[Frame | None], width: int) -> int:
    """Return how high cells of a width are best, in dots, by the frames' middle shape."""
    shapes = sorted(frame.shape[0] / frame.shape[1] for frame in frames if frame is not None)
    share = shapes[len(shapes) // 2] if shapes else 0.0
    return max(12, round(width * min(share, _TALLEST)))


def paste(
    sheet: Sheet,
    cell: tuple[int, int, int, int],
    frame: Frame | None,
    attention: FloatArray | None = None,
    *,
    style: HeatStyle = DEFAULT_STYLE,
    role: str = "frame",
) -> tuple[int, int, int, int] | None:
    """Lay a frame into a cell, whole and in the middle.

    Args:
        sheet: to draw on.
        cell: left, top, right, bottom in dots.
        frame: None leaves the cell empty.
        attention: (H, W) weights, None for the frame alone.
        style: how the map looks.
        role: what the picture is called among the figure's artists.

    Returns:
        Where the picture lies, None without one.
    """
    if frame is None:
        return None
    left, top, right, bottom = cell
    width, height = _within(frame.shape[1], frame.shape[0], right - left, bottom - top)
    small = Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS)
    picture = lay_heat(small, attention, style)
    left, top = left + (right - left - width) // 2, top + (bottom - top - height) // 2
    sheet.picture(picture, left, top, role=role)
    return left, top, left + width, top + height


def draw_scale(sheet: Sheet, right: int, middle: int, style: HeatStyle) -> None:
    """Show what the map's colours mean, ending at a dot: one scale for all maps."""
    width, height = _SCALE
    weights = np.exp(np.linspace(0, np.log(FULL), width))[None] / width
    grey = np.full((height, width, 3), 150, np.uint8)
    bar = lay_heat(grey, weights, style)
    most = f"{FULL:g}× uniform attention or more"
    left = right - round(breadth(most, SMALL)) - 12 - width
    sheet.word((left - 12, middle), "1×", points=SMALL, colour=DIM, align="right")
    sheet.picture(bar, left, middle - height // 2, role="scale")
    sheet.word((left + width + 12, middle), most, points=SMALL, colour=DIM)


def _is_picture(frame: Frame) -> bool:
    return frame.dtype == np.uint8 and frame.ndim == 3 and frame.shape[2] == 3 and frame.size > 0


def _within(width: int, height: int, most_wide: int, most_high: int) -> tuple[int, int]:
    share = min(most_wide / width, most_high / height)
    return max(1, round(width * share)), max(1, round(height * share))
