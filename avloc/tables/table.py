"""A table of words, and the numbers in it: the same for every command."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table to print; its cells are words, with numbers already rounded."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""  # what a reader must know to read it

    def markdown(self) -> str:
        """Return the table as Markdown, title above and caption below."""
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"### {self.title}\n\n{body}\n\n{self.caption}\n"

    def csv(self) -> str:
        """Return header and rows as CSV."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.header, *self.rows])
        return text.getvalue()


def percent(value: float | None) -> str:
    """Return a share as a percentage; a dash for None and NaN."""
    return "-" if value is None or math.isnan(value) else f"{value:.1%}"


def interval(limits: Sequence[float] | None) -> str:
    """Return an interval of shares; a dash for None and NaN."""
    return "-" if limits is None or math.isnan(limits[0]) else f"{limits[0]:.1%} to {limits[1]:.1%}"
