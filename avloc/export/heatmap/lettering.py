"""Text inside pictures."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import matplotlib
from PIL.ImageFont import FreeTypeFont, truetype

_FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"


@cache
def font(size: int, is_bold: bool = False) -> FreeTypeFont:
    """Return DejaVu Sans in pixels. It comes with matplotlib, so text is the same everywhere."""
    name = "DejaVuSans-Bold.ttf" if is_bold else "DejaVuSans.ttf"
    return truetype(str(_FOLDER / name), size)


def fitted(text: str, letters: FreeTypeFont, width: float) -> str:
    """Return ``text`` cut with an ellipsis to ``width`` pixels; empty when nothing fits."""
    if letters.getlength(text) <= width:
        return text
    cuts = (text[:n].rstrip() + "…" for n in range(min(len(text), 200), 0, -1))
    return next((cut for cut in cuts if letters.getlength(cut) <= width), "")
