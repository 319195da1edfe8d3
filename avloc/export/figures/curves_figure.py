"""Curves with error bars in panels: how results change along a quantity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from avloc.colours import as_hex, label_colour
from avloc.errors import UsageError
from avloc.export.figures.figure_file import plain_style
from avloc.export.figures.figure_page import DPI
from avloc.export.figures.figure_rows import DIM, INK, PAPER
from avloc.labels import LabelSet

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_LINES = ("-", "--", "-.", ":")
_PANEL = (3.3, 2.1)  # inches
_APART = 0.012  # of the range of x: error bars beside each other can be told apart


@dataclass(frozen=True)
class Curve:
    """A model's results along x; NaN where there is none."""

    name: str
    values: NDArray[np.float64]  # (K,)
    low: NDArray[np.float64]  # (K,) the lower end of each error bar
    high: NDArray[np.float64]  # (K,)


@dataclass(frozen=True)
class Panel:
    """Curves over the same x."""

    title: str
    y_label: str
    curves: Sequence[Curve]
    has_zero: bool = False  # draw a line at zero


@plain_style()
def curves_figure(
    x: Sequence[float], panels: Sequence[Sequence[Panel]], *, x_label: str, note: str = ""
) -> Figure:
    """Draw rows of panels over K values of x.

    A name has one colour, marker and line in every panel. Panels of a row share their scale.
    """
    names = list(dict.fromkeys(c.name for row in panels for panel in row for c in panel.curves))
    if not names or not len(x):
        raise UsageError("a figure of curves needs a curve", "Give one per model.")
    n_rows, n_columns = len(panels), max(map(len, panels))
    size = (_PANEL[0] * n_columns, _PANEL[1] * n_rows + 0.55)
    figure = Figure(figsize=size, dpi=DPI, facecolor="white", layout="constrained")
    grid = figure.subplots(n_rows, n_columns, sharex=True, sharey="row", squeeze=False)
    drawn: dict[str, Artist] = {}
    for row, axes_of_row in zip(panels, grid, strict=True):
        for panel, axes in zip(row, axes_of_row, strict=True):
            drawn |= _draw(axes, panel, np.asarray(x, dtype=float), names)
        axes_of_row[0].set_ylabel(row[0].y_label, color=INK)
    for axes in grid[-1]:
        axes.set_xlabel(x_label, color=INK)
    shown = [name for name in names if name in drawn]
    look: dict[str, Any] = {"loc": "outside upper left", "ncols": min(len(names), 6)}
    figure.legend([drawn[name] for name in shown], shown, handlelength=2.6, **look)
    if note:
        figure.supxlabel(note, size=5.5, color=DIM, x=0.01, ha="left")
    return figure


def _draw(
    axes: Axes, panel: Panel, x: NDArray[np.float64], names: Sequence[str]
) -> dict[str, Artist]:
    """Draw a panel; return what the legend shows of each curve."""
    labels = LabelSet(tuple(names))
    drawn: dict[str, Artist] = {}
    axes.set_title(panel.title, loc="left", size=6.5, color=INK, weight="bold")
    axes.grid(axis="y", color=PAPER)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xticks(x)
    if panel.has_zero:
        axes.axhline(0, color=DIM, linewidth=0.6)
    step = _APART * (float(np.ptp(x)) or 1.0)
    for curve in panel.curves:
        k = names.index(curve.name)
        known = np.isfinite(curve.values)
        if not known.any():
            continue
        ends = np.abs(np.array([curve.low, curve.high]) - curve.values)
        bars = axes.errorbar(
            x[known] + step * (k - (len(names) - 1) / 2),
            curve.values[known],
            np.nan_to_num(ends[:, known]),
            color=as_hex(label_colour(curve.name, labels)),
            linestyle=_LINES[k % len(_LINES)],
            marker=_MARKERS[k % len(_MARKERS)],
            markersize=3,
            linewidth=1,
            elinewidth=0.7,
            capsize=1.5,
        )
        drawn[curve.name] = bars.lines[0]
    return drawn
