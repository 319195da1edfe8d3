"""A learning curve as the points of an SVG drawing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 520, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 508, 14, 222


@dataclass(frozen=True)
class ReportCurve:
    """Numbers by epoch, to be drawn.

    Attributes:
        title: what is drawn.
        series: a name and its values, one an epoch, of each line.
        x_label: what the values are counted by.
        y_label: what the values are.
    """

    title: str
    series: Mapping[str, Sequence[float]]
    x_label: str = "epoch"
    y_label: str = ""


@dataclass(frozen=True)
class Line:
    """One line: its name, its ``x,y`` points, and its last value in words."""

    name: str
    points: str
    last: str


@dataclass(frozen=True)
class Drawing:
    """What the template draws; ticks are (place in pixels, words)."""

    curve: ReportCurve
    lines: tuple[Line, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    box: tuple[int, int, int, int] = (_LEFT, _TOP, _RIGHT, _BOTTOM)
    size: tuple[int, int] = (WIDTH, HEIGHT)


def draw_curve(curve: ReportCurve) -> Drawing:
    """Place a curve's values on paper; values that are not finite are left out."""
    values = [v for line in curve.series.values() for v in line if math.isfinite(v)]
    ticks = _round_numbers(min(values, default=0.0), max(values, default=1.0))
    low, high = ticks[0], ticks[-1]
    n_most = max((1, *(len(line) for line in curve.series.values())))

    def x(n: float) -> float:
        return round(_LEFT + (n - 1) / max(n_most - 1, 1) * (_RIGHT - _LEFT), 1)

    def y(value: float) -> float:
        return round(_BOTTOM - (value - low) / (high - low) * (_BOTTOM - _TOP), 1)

    def line(name: str, numbers: Sequence[float]) -> Line:
        kept = [(n, v) for n, v in enumerate(numbers, start=1) if math.isfinite(v)]
        points = " ".join(f"{x(n)},{y(v)}" for n, v in kept)
        return Line(name, points, f"{kept[-1][1]:.3g}" if kept else "")

    epochs = [n for n in _round_numbers(1, n_most) if n == int(n) and 1 <= n <= n_most]
    epochs = epochs if 1 in epochs else [1, *epochs]
    return Drawing(
        curve,
        tuple(line(name, numbers) for name, numbers in curve.series.items()),
        tuple((x(n), f"{n:.0f}") for n in epochs),
        tuple((y(value), f"{value:.4g}") for value in ticks),
    )


def _round_numbers(low: float, high: float, n_most: int = 6) -> list[float]:
    """Return round numbers from at most ``low`` to at least ``high``, two or more."""
    span = high - low or abs(high) or 1.0
    power = 10 ** math.floor(math.log10(span / n_most))
    step = next(m * power for m in (1, 2, 5, 10, 20) if span / (m * power) <= n_most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, max(last, first + 1) + 1)]
