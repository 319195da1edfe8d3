"""Time in words, and positions along a time line in percent."""

from __future__ import annotations

import math
from dataclasses import dataclass

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
"""Seconds between the ticks of a time line that read well."""


def moment(seconds: float, total: float) -> str:
    """Return a time in a video of ``total`` seconds: ``3.84``, ``12:05.5`` or ``1:02:03``."""
    if total < 60:
        return f"{round(seconds, 2):g}"
    whole, rest = divmod(round(100 * seconds), 100)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    clock = f"{hours}:{minute:02}:{second:02}" if total >= 3600 else f"{minute}:{second:02}"
    return clock + (f".{rest:02}".rstrip("0") if rest else "")


def ticks(total: float, n_most: float = 10) -> list[float]:
    """Return round moments from 0 to ``total`` seconds, at most ``n_most`` steps."""
    hours = 7200 * math.ceil(total / 7200 / n_most)  # past twenty hours
    step = next((step for step in STEPS if total / step <= n_most), hours)
    return [n * step for n in range(math.floor(total / step + 1e-6) + 1)]


@dataclass(frozen=True)
class Axis:
    """A time line of ``total`` seconds."""

    total: float

    def percent(self, seconds: float) -> float:
        """Return the position of a moment; 0 before the start, 100 past the end."""
        return 100 * min(max(seconds / self.total, 0.0), 1.0)

    def span(self, start: float, end: float) -> tuple[float, float]:
        """Return the position and the width of a time span, cut at the video's end."""
        left = self.percent(start)
        return left, max(self.percent(end) - left, 0.0)

    def words(self, seconds: float) -> str:
        """Return a moment in words."""
        return moment(seconds, self.total)

    @property
    def unit(self) -> str:
        """What follows `words`: `` s``, or nothing after a clock."""
        return " s" if self.total < 60 else ""

    @property
    def length(self) -> str:
        """The video's length in words."""
        return self.words(self.total) + self.unit

    def ticks(self) -> list[tuple[float, str]]:
        """Return (percent, words) of at most eleven round moments, the first at 0."""
        return [(self.percent(second), self.words(second)) for second in ticks(self.total)]
