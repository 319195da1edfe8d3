"""A page's time line: places in percent of the video's length, and moments in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

from avloc.export.lettering import clock

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
"""Seconds between the ticks of a time line that read well."""
_MOST_TICKS = 10


@dataclass(frozen=True)
class Axis:
    """The time line of a video.

    Attributes:
        total: its length in seconds, more than 0.
    """

    total: float

    def percent(self, seconds: float) -> float:
        """Return where a moment stands; before the start 0, past the end 100."""
        return 100 * min(max(seconds / self.total, 0.0), 1.0)

    def span(self, start: float, end: float) -> tuple[float, float]:
        """Return where a stretch begins and how wide it is, cut at the video's end."""
        left = self.percent(start)
        return left, max(self.percent(end) - left, 0.0)

    def words(self, seconds: float) -> str:
        """Return a moment to the hundredth: ``3.84`` in a short video, else ``12:05.5``."""
        if self.total < 60:
            return f"{round(seconds, 2):g}"
        whole, rest = divmod(round(100 * seconds), 100)
        return clock(whole, self.total) + (f".{rest:02}".rstrip("0") if rest else "")

    @property
    def length(self) -> str:
        """The video's length in words."""
        return f"{self.total:.3g} s" if self.total < 60 else clock(self.total, self.total)

    @property
    def unit(self) -> str:
        """What follows `words`: `` s``, or nothing after a clock."""
        return " s" if self.total < 60 else ""

    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Return (percent, words) of at most eleven round moments, the first at 0."""
        hours = 7200 * math.ceil(self.total / 7200 / _MOST_TICKS)  # past twenty hours
        step = next((s for s in STEPS if self.total / s <= _MOST_TICKS), hours)
        n_steps = math.floor(self.total / step + 1e-6)
        return tuple((self.percent(n * step), self.words(n * step)) for n in range(n_steps + 1))
