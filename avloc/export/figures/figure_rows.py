"""The rows of figure 6: each knows its height, its name and how it is drawn into a band."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from avloc.colours import Colour, ink_on, label_colour
from avloc.export.axis import Axis
from avloc.export.figures.columns import GAP, Band, moment, tells_seconds
from avloc.export.figures.figure_frames import paste
from avloc.export.figures.figure_sheet import (
    DIM,
    INK,
    LETTERS,
    PAPER,
    SMALL,
    Sheet,
    breadth,
    cut_to,
)
from avloc.export.heat_style import HeatStyle
from avloc.export.lines import one_line
from avloc.export.pictures import Frame
from avloc.labels import LabelSet
from avloc.timeline import Event, FloatArray, Grid

_LABEL_LETTERS = (LETTERS, 6.0, 5.5, 5.0, 4.5)
_HEAR: Colour = (247, 213, 148)
_SEE: Colour = (168, 214, 242)
_WHITE: Colour = (255, 255, 255)
_LEAST_BLOCK = 3  # dots: the shortest event of a film is still seen

Paint = Callable[[Sheet, Band, int, int], None]
"""Draws a row into a band, from its top to its bottom dot."""


@dataclass(frozen=True)
class Row:
    """One row of a band.

    Attributes:
        paint: draws it.
        height: in dots; None for pictures, which share what the page has left.
        name: stands in the margin.
        is_bold: whether the name is a model's or the truth's, and not only a row's.
        after: dots left free below it.
    """

    paint: Paint
    height: int | None
    name: str = ""
    is_bold: bool = False
    after: int = GAP

    @property
    def colour(self) -> Colour:
        """The colour of the name."""
        return INK if self.is_bold else DIM


def time_row(grid: Grid) -> Row:
    """Make the row that heads each column with the moment at which it begins."""

    def paint(sheet: Sheet, band: Band, top: int, bottom: int) -> None:
        for n, segment in enumerate(band.segments):
            word = cut_to(moment(grid, segment), band.column, SMALL)
            place = (band.left_of(n), (top + bottom) / 2)
            sheet.word(place, word, points=SMALL, colour=DIM, role="time")

    return Row(paint, 28, "seconds" if tells_seconds(grid) else "time", after=2)


def sound_row(loudness: FloatArray) -> Row:
    """Make the row of the sound's envelope, (T, n), as high as the loudest moment allows."""
    heard = np.abs(np.nan_to_num(np.asarray(loudness, np.float64), posinf=0, neginf=0))
    heard = heard / (heard.max(initial=0.0) or 1.0)
    n_each = heard.shape[1]

    def paint(sheet: Sheet, band: Band, top: int, bottom: int) -> None:
        for run in band.runs():
            steps = (np.arange(len(run) * n_each) + 0.5) / n_each
            levels = heard[[band.segments[n] for n in run]].ravel()
            half = np.maximum(levels * (bottom - top) / 2, 0.5)
            across = band.left_of(run.start) + steps * band.column
            sheet.curve(across.tolist(), (top + bottom) / 2, half.tolist())

    return Row(paint, 72, "sound")


def picture_row(
    frames: Sequence[Frame | None],
    maps: Sequence[FloatArray | None],
    name: str,
    *,
    style: HeatStyle,
    is_bold: bool = False,
    role: str = "frame",
) -> Row:
    """Make a row of frames under their maps, one or None a segment each."""

    def paint(sheet: Sheet, band: Band, top: int, bottom: int) -> None:
        for n, k in enumerate(band.segments):
            left, right = band.cell(n)
            cell = (left, top, right, bottom)
            paste(sheet, cell, frames[k], maps[k], style=style, role=role)

    return Row(paint, None, name, is_bold)


def track_row(events: Sequence[Event], labels: LabelSet, name: str, role: str) -> Row:
    """Make a row of events as blocks in their labels' colours, named as large as may be."""

    def paint(sheet: Sheet, band: Band, top: int, bottom: int) -> None:
        for run in band.runs():
            _draw_ground(sheet, band, run, top, bottom)
            first = band.segments[run.start]
            ends = (first + len(run)) * band.grid.segment_seconds
            for event in events:
                if event.start < ends and (place := band.span(run, event.start, event.end)):
                    left, right = place
                    colour = label_colour(event.label, labels)
                    box = (left, top, max(right - 2, left + _LEAST_BLOCK), bottom)
                    sheet.block(box, colour, role=role)
                    _draw_label(sheet, event.label, left, right, (top + bottom) / 2, colour)

    return Row(paint, 44, name, True)


def tick_row(total: float) -> Row:
    """Make the row that tells the moments along ``total`` seconds drawn as one column."""
    marks = Axis(total).ticks()

    def paint(sheet: Sheet, band: Band, top: int, bottom: int) -> None:
        for percent, words in marks:
            x = band.left + percent / 100 * band.column
            sheet.block((x - 1, top, x + 1, top + 6), DIM)
            half = breadth(words, SMALL) / 2
            inside = min(max(x, band.left + half), band.right - half)
            place = (inside, (top + 6 + bottom) / 2)
            sheet.word(place, words, points=SMALL, colour=DIM, align="center", role="tick")

    return Row(paint, 40, "whole video")


def gate_row(gate: FloatArray, name: str, role: str) -> Row:
    """Make a row of a sense's gate: a bar and its number a segment."""
    light = _HEAR if role == "hear" else _SEE

    def paint(sheet: Sheet, band: Band, top: int, bottom: int) -> None:
        for n, segment in enumerate(band.segments):
            left, right = band.cell(n)
            sheet.block((left, top, right, bottom), PAPER)
            value = float(gate[segment])
            word = "–"
            if np.isfinite(value):
                value = min(max(value, 0.0), 1.0)
                box = (left, top, left + value * (right - left), bottom)
                sheet.block(box, light, role=role)
                word = f"{value:.2f}"
            middle = ((left + right) / 2, (top + bottom) / 2)
            sheet.word(middle, cut_to(word, band.column, SMALL), points=SMALL, align="center")

    return Row(paint, 32, name, after=3)


def _draw_ground(sheet: Sheet, band: Band, run: range, top: int, bottom: int) -> None:
    """Draw the empty track of a run, a white line at each segment's start."""
    is_last = run.stop == len(band.segments)
    right = band.left_of(run.stop) - (0 if is_last else GAP)
    sheet.block((band.left_of(run.start), top, right, bottom), PAPER)
    for n in run[1:]:
        sheet.block((band.left_of(n) - 1, top, band.left_of(n) + 1, bottom), _WHITE)


def _draw_label(
    sheet: Sheet, label: str, left: float, right: float, middle: float, colour: Colour
) -> None:
    room = right - left - 12
    fitting = (points for points in _LABEL_LETTERS if breadth(label, points) <= room)
    points = next(fitting, _LABEL_LETTERS[-1])
    word = cut_to(label, room, points)
    if len(word) > 2 or word == one_line(label):
        ink = INK if ink_on(colour) == (0, 0, 0) else _WHITE
        centre = ((left + right) / 2, middle)
        sheet.word(centre, word, points=points, colour=ink, align="center", role="label")
