"""Which segments a figure shows, and where each stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from avloc.errors import UsageError
from avloc.export import axis
from avloc.timeline import Grid

MOST_ACROSS = 12
GAP = 6
_WIDEST = 330
_MOST_OF_ALL = 240


@dataclass(frozen=True)
class Band:
    """Segments side by side.

    Attributes:
        grid: the video's segments.
        segments: those shown, rising.
        left: the first dot of the first column.
        column: a column's width in dots.
    """

    grid: Grid
    segments: tuple[int, ...]
    left: int
    column: int

    @property
    def right(self) -> int:
        """The dot after the last column."""
        return self.left_of(len(self.segments))

    def left_of(self, n: int) -> int:
        """Return the first dot of column ``n``."""
        return self.left + n * self.column

    def cell(self, n: int) -> tuple[int, int]:
        """Return where what stands apart in column ``n`` begins and ends."""
        return self.left_of(n) + GAP // 2, self.left_of(n + 1) - GAP // 2

    def runs(self) -> list[range]:
        """Return the columns in runs whose segments follow one another in time."""
        starts = [
            n
            for n, segment in enumerate(self.segments)
            if n == 0 or segment != self.segments[n - 1] + 1
        ]
        ends = [*starts[1:], len(self.segments)]
        return [range(start, end) for start, end in zip(starts, ends, strict=True)]

    def span(self, run: range, start: float, end: float) -> tuple[float, float] | None:
        """Return the dots that a time takes within a run of columns, None outside of it.

        Args:
            run: one of `runs`.
            start: in seconds, and
            end: in seconds.
        """
        seconds = float(self.grid.segment_seconds)
        first = self.segments[run.start]
        from_column = max(start / seconds - first, 0.0)
        to_column = min(end / seconds - first, float(len(run)))
        if from_column >= to_column:
            return None
        origin = self.left_of(run.start)
        # time that the video leaps over must not look like time that was played
        gap = 0 if to_column < len(run) or run.stop == len(self.segments) else GAP
        right = max(origin + to_column * self.column - gap, origin + from_column * self.column)
        return origin + from_column * self.column, right


def check_most_columns(most_columns: int) -> None:
    """Refuse a number of columns that makes no figure.

    Raises:
        UsageError: it is not from 1 to 240.
    """
    if not 1 <= most_columns <= _MOST_OF_ALL:
        raise UsageError(
            f"a figure has 1 to {_MOST_OF_ALL} columns, not {most_columns}",
            "Leave it out for as many as fit a page.",
        )


def evenly(n: int, most: int) -> list[int]:
    """Return at most ``most`` of the numbers below ``n``, evenly spread, each in the middle."""
    if n <= most:
        return list(range(n))
    return [(2 * place + 1) * n // (2 * most) for place in range(most)]


def lay_bands(
    grid: Grid, segments: Sequence[int], left: int, right: int, most_across: int = MOST_ACROSS
) -> list[Band]:
    """Wrap segments into bands of even length between two columns of dots."""
    n_bands = math.ceil(len(segments) / most_across)
    n_across = math.ceil(len(segments) / n_bands)
    column = min((right - left) // n_across, _WIDEST)
    return [
        Band(grid, tuple(segments[start : start + n_across]), left, column)
        for start in range(0, len(segments), n_across)
    ]


def tells_seconds(grid: Grid) -> bool:
    """Return whether a video is so short that its moments are told in seconds alone."""
    return grid.n_segments * grid.segment_seconds < 60


def moment(grid: Grid, segment: int) -> str:
    """Return when a segment begins: seconds, or minutes and hours in a longer video."""
    total = float(grid.n_segments * grid.segment_seconds)
    return axis.moment(float(segment * grid.segment_seconds), total)
