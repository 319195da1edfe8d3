"""The page of a figure: a head, bands of rows below each other, names in the margin, a foot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from avloc.colours import Colour
from avloc.errors import UsageError
from avloc.export.figures.columns import GAP, Band
from avloc.export.figures.figure_rows import Row
from avloc.export.figures.figure_sheet import (
    DIM,
    LETTERS,
    MARGIN,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    SMALL,
    Sheet,
    breadth,
    cut_to,
)
from avloc.timeline import Grid

_LINE = 44
_BETWEEN = 40
_FOOT = 40
_LEAST_WIDTH = 1000
_TALLEST = 30_000
_LEAST_PICTURE = 80
_TITLE = 8.0
_SWATCH = 22

Legend = Sequence[tuple[str, Colour]]


@dataclass(frozen=True)
class Overview:
    """Rows that show a whole video as one column.

    Attributes:
        grid: of one segment, as long as the video.
        rows: none of them pictures.
    """

    grid: Grid
    rows: Sequence[Row]


@dataclass(frozen=True)
class Page:
    """A drawn page.

    Attributes:
        sheet: what it is drawn on.
        right: the last dot of what is drawn.
        foot: the middle of the line at the foot, which is free.
    """

    sheet: Sheet
    right: int
    foot: int

    def note(self, text: str) -> None:
        """Write a remark at the foot."""
        self.sheet.word((MARGIN, self.foot), text, points=SMALL, colour=DIM, role="note")


def draw_page(
    title: str,
    legend: Legend,
    rows: Sequence[Row],
    wrap: Callable[[int, int], list[Band]],
    natural: Callable[[int], int],
    overview: Overview | None = None,
) -> Page:
    """Draw rows in bands, as high as they must be.

    Args:
        title: the video's name.
        legend: names with their colours.
        rows: of each band.
        wrap: makes the bands between two columns of dots.
        natural: the best height of a picture by its cell's width; it is less where the page
            would overflow.
        overview: stands over the bands.

    Raises:
        UsageError: the page would be taller than a picture can be.
    """
    above = () if overview is None else overview.rows
    widest = max(breadth(row.name, LETTERS, row.is_bold) for row in (*above, *rows))
    bands = wrap(MARGIN + round(widest) + 24, PAGE_WIDTH - MARGIN)
    right = max(bands[0].right, _LEAST_WIDTH)
    lines = _legend_lines(legend, right - MARGIN)
    is_beside = len(lines) == 1 and _breadth_of(lines[0]) < (right - MARGIN) * 0.6
    head = MARGIN + _LINE * (1 if is_beside else 1 + len(lines)) + 10
    top = head + _height_of(above) + (_BETWEEN if above else 0)
    free = PAGE_HEIGHT - top - _FOOT - MARGIN
    picture = min(natural(bands[0].column - GAP), _picture_room(rows, len(bands), free))
    heights = [picture if row.height is None else row.height for row in rows]
    step = sum(heights) + sum(row.after for row in rows) + _BETWEEN
    end = top + len(bands) * step - _BETWEEN + _FOOT
    if end > _TALLEST:
        raise UsageError(
            f"{len(bands)} bands of {len(rows)} rows are too much for one figure",
            "Show fewer columns or fewer models.",
        )
    sheet = Sheet(right + MARGIN, end + MARGIN)
    _draw_head(sheet, right, title, lines, is_beside)
    if overview is not None:
        column = Band(overview.grid, (0,), bands[0].left, right - bands[0].left)
        _draw_band(sheet, column, above, [row.height or 0 for row in above], head)
    for n, band in enumerate(bands):
        _draw_band(sheet, band, rows, heights, top + n * step)
    return Page(sheet, right, end - _FOOT // 2 + MARGIN // 2)


def _height_of(rows: Sequence[Row]) -> int:
    """Return how high rows are without their pictures."""
    return sum((row.height or 0) + row.after for row in rows)


def _picture_room(rows: Sequence[Row], n_bands: int, free: int) -> int:
    """Return how high pictures may be for all to go into ``free`` dots."""
    n_pictures = sum(row.height is None for row in rows)
    room = (free - n_bands * (_height_of(rows) + _BETWEEN)) // (n_bands * max(n_pictures, 1))
    return max(room, _LEAST_PICTURE)


def _draw_head(
    sheet: Sheet, right: int, title: str, lines: Sequence[Legend], is_beside: bool
) -> None:
    beside = _breadth_of(lines[0]) + 40 if is_beside else 0
    word = cut_to(title, right - MARGIN - beside, _TITLE, True)
    middle = MARGIN + _LINE // 2
    sheet.word((MARGIN, middle), word, points=_TITLE, is_bold=True, role="title")
    for n, line in enumerate(lines):
        left: float = right - _breadth_of(line) if is_beside else MARGIN
        row, half = middle + (0 if is_beside else (n + 1) * _LINE), _SWATCH / 2
        for name, colour in line:
            sheet.block((left, row - half, left + _SWATCH, row + half), colour, role="legend")
            sheet.word((left + _SWATCH + 10, row), name, role="legend")
            left += _breadth_of([(name, colour)]) + 30


def _draw_band(
    sheet: Sheet, band: Band, rows: Sequence[Row], heights: Sequence[int], top: int
) -> None:
    for row, height in zip(rows, heights, strict=True):
        row.paint(sheet, band, top, top + height)
        sheet.word(
            (band.left - 16, top + height / 2),
            row.name,
            points=LETTERS if row.is_bold else SMALL,
            colour=row.colour,
            is_bold=row.is_bold,
            align="right",
            role="name",
        )
        top += height + row.after


def _legend_lines(legend: Legend, room: float) -> list[Legend]:
    """Break a legend into lines that fit."""
    lines: list[list[tuple[str, Colour]]] = [[]]
    for entry in legend:
        if lines[-1] and _breadth_of([*lines[-1], entry]) > room:
            lines.append([])
        lines[-1].append(entry)
    return list(lines)


def _breadth_of(line: Legend) -> float:
    """Return the dots of swatches and names side by side."""
    return sum(_SWATCH + 10 + breadth(name) for name, _ in line) + 30 * (len(line) - 1)
