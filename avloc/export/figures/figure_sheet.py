"""A sheet of paper that is measured in dots: words, blocks and pictures at their places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from avloc.colours import Colour, as_hex
from avloc.export.heatmap.lettering import fitted, font
from avloc.export.lines import one_line

DPI = 300
PAGE_WIDTH = 7 * DPI  # the two columns of a paper
PAGE_HEIGHT = 10 * DPI
MARGIN = 20
LETTERS = 6.5  # points
SMALL = 5.5
INK: Colour = (25, 28, 34)
DIM: Colour = (95, 100, 110)
PAPER: Colour = (238, 240, 243)

_POINT = DPI / 72


def breadth(text: str, points: float = LETTERS, is_bold: bool = False) -> float:
    """Return how many dots a word takes along its line."""
    return float(font(round(points * _POINT), is_bold).getlength(one_line(text)))


def cut_to(text: str, room: float, points: float = LETTERS, is_bold: bool = False) -> str:
    """Return a text as one line that fits ``room`` dots, cut with an ellipsis if it must."""
    return fitted(one_line(text), font(round(points * _POINT), is_bold), room)


class Sheet:
    """White paper of ``width`` by ``height`` dots, 300 to the inch, the first at top left.

    A picture lies on whole dots, so a PNG holds its pixels as they are.
    """

    def __init__(self, width: int, height: int) -> None:
        # a hair wider: a size that is not exact in binary must not lose its last dot
        size = ((width + 0.01) / DPI, (height + 0.01) / DPI)
        self.figure = Figure(figsize=size, dpi=DPI, facecolor="white")
        self._axes = self.figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self._axes.set_autoscale_on(False)
        self._axes.set_xlim(0, size[0] * DPI)
        self._axes.set_ylim(size[1] * DPI, 0)

    def word(
        self,
        place: tuple[float, float],
        text: str,
        *,
        points: float = LETTERS,
        colour: Colour = INK,
        is_bold: bool = False,
        align: str = "left",
        role: str = "",
    ) -> None:
        """Write a text on one line, its height's middle at ``place``; ``$`` is a dollar."""
        line = one_line(text)
        if not line:
            return
        self._axes.text(
            *place,
            line,
            fontsize=points,
            fontfamily="DejaVu Sans",
            fontweight="bold" if is_bold else "normal",
            color=as_hex(colour),
            ha=align,
            va="center_baseline",
            parse_math=False,
            label=role,
        )

    def block(
        self,
        box: tuple[float, float, float, float],
        colour: Colour | None,
        *,
        edge: Colour | None = None,
        points: float = 1.0,
        role: str = "",
    ) -> None:
        """Fill, or outline, the dots from left and top to right and bottom."""
        left, top, right, bottom = box
        self._axes.add_patch(
            Rectangle(
                (left, top),
                right - left,
                bottom - top,
                facecolor="none" if colour is None else as_hex(colour),
                edgecolor="none" if edge is None else as_hex(edge),
                linewidth=0 if edge is None else points,
                label=role,
            )
        )

    def picture(self, picture: Image.Image, left: int, top: int, *, role: str = "") -> None:
        """Lay a picture down, one pixel a dot."""
        right, bottom = left + picture.width, top + picture.height
        self._axes.imshow(
            np.asarray(picture.convert("RGB")),
            extent=(left, right, bottom, top),
            aspect="auto",
            interpolation="none",
            label=role,
        )

    def curve(self, across: Sequence[float], middle: float, half: Sequence[float]) -> None:
        """Fill what lies within ``half`` dots of the row ``middle``."""
        spread = np.asarray(half)
        self._axes.fill_between(
            across,
            middle - spread,
            middle + spread,
            color=as_hex(DIM),
            linewidth=0.2,
            label="sound",
        )
