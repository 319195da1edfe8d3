"""Words inside pictures."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import matplotlib
from PIL import ImageFont

_FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
_ELLIPSIS = "…"

Font = ImageFont.FreeTypeFont


@cache
def font(size: int, is_bold: bool = False) -> Font:
    """Return DejaVu Sans, which comes with matplotlib, so the words look alike everywhere.

    Args:
        size: in pixels.
        is_bold: its bold cut.
    """
    name = "DejaVuSans-Bold.ttf" if is_bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(_FOLDER / name), size)


def fitted(text: str, letters: Font, width: float) -> str:
    """Return ``text`` cut with an ellipsis to ``width`` pixels; empty when nothing fits."""
    if letters.getlength(text) <= width:
        return text
    for n_kept in range(min(len(text), 200), 0, -1):
        cut = text[:n_kept].rstrip() + _ELLIPSIS
        if letters.getlength(cut) <= width:
            return cut
    return ""


def clock(seconds: float, total: float) -> str:
    """Return a moment as short as ``total`` allows: ``3.2``, ``1:03`` or ``1:00:03``."""
    if total < 60:
        return f"{seconds:.1f}"
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if total >= 3600 else f"{minute}:{second:02}"
