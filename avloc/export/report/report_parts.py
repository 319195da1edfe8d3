"""What a report is made of: plain records, filled in by whoever has the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from avloc.errors import UsageError
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
