"""What a report is made of: plain records, filled in by whoever has the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from avloc.errors import UsageError
from avloc.export.report.curves import ReportCurve
from avloc.timeline import Event, Timeline

Thumbnail = Image.Image | bytes | None


@dataclass(frozen=True)
class ReportClip:
    """One video of a report.

    Attributes:
        timeline: what was found.
        truth: the true events; None where nobody knows them.
        thumbnails: one picture a segment (`report_thumbnails`), as an image or a JPEG's
            bytes; None where there is none; empty for no pictures at all. The page carries
            every one (some 10 KB each): a long video should have a few dozen.
        video: what to play in the page, the overlay best; linked, not contained. A sound
            file, or a timeline without a picture, gets a player of sounds.
        files: other files to link.
        note: a sentence to the reader.
    """

    timeline: Timeline
    truth: Sequence[Event] | None = None
    thumbnails: Sequence[Thumbnail] = ()
    video: Path | None = None
    files: Sequence[Path] = ()
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse thumbnails that do not fit the segments."""
        n_segments = self.timeline.grid.n_segments
        if len(self.thumbnails) not in (0, n_segments):
            raise UsageError(f"{len(self.thumbnails)} thumbnails do not fit {n_segments} segments")


@dataclass(frozen=True)
class ReportTable:
    """A table of results; cells are words, numbers already rounded as they should be read.

    Attributes:
        title: stands over the table.
        header: the columns' names.
        rows: one cell a column; the first names the row.
        caption: what a reader must know to read it, one sentence.
        is_folded: shown only when asked for, as a long table should be.
        marked_row: the row to look at first, None for none.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    is_folded: bool = False
    marked_row: int | None = None

    def __post_init__(self) -> None:
        """Refuse rows that do not fit the header."""
        for row in self.rows:
            if len(row) != len(self.header):
                raise UsageError(
                    f"a row of {len(row)} cells does not fit {len(self.header)} columns"
                )


@dataclass(frozen=True)
class ReportResults:
    """What the model reached on a data set."""

    tables: Sequence[ReportTable] = ()
    curves: Sequence[ReportCurve] = ()
