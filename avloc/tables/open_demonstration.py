"""The part of the demo without training: the model ``open`` on a clip of known things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from avloc.progress import Progress
from avloc.stages.localize.run import localize
from avloc.tables.open_clip import LABELS, write_open_clip
from avloc.tables.table import Table


@dataclass(frozen=True)
class OpenDemo:
    """The events that the model found, what it said of itself, and the files it wrote."""

    table: Table
    notes: tuple[str, ...]
    report: Path
    heatmaps: tuple[Path, ...]


def run_open_demo(folder: Path, progress: Progress | None = None) -> OpenDemo:
    """Compose a clip and look for words in it, with a heat map and a report of its own.

    Without the audio tagger's file, which is downloaded once, the picture alone answers; the notes
    say where the file belongs.
    """
    clip, report = folder / "open" / "temple-and-flower.mp4", folder / "open" / "report.html"
    if not clip.exists():
        write_open_clip(clip)
    notes: list[str] = []
    (answer,) = localize(
        clip,
        model="open",
        labels=LABELS,
        heatmap=True,
        report=report,
        artifacts=folder / "artifacts",
        progress=progress,
        notice=notes.append,
    )
    if answer.error is not None:
        raise answer.error
    assert answer.timeline is not None
    rows = [
        (f"{event.start:g} to {event.end:g} s", event.label, f"{event.score:.2f}", event.sense)
        for event in answer.timeline
    ]
    table = Table(
        title="The model open, without training: events of a clip with photographs and sounds",
        header=("when", "label", "score", "sense"),
        rows=rows,
        caption=(
            f"Asked for: {', '.join(LABELS)}. In the clip a temple is seen from 0 to 6 s and its "
            "bell strikes from 1 to 5 s; then a flower is seen, and a siren sounds from 7 to 11 s."
        ),
    )
    heatmaps = tuple(p for p in (*answer.kept, *answer.written) if p.suffix == ".mp4")
    return OpenDemo(table, tuple(notes), report, heatmaps)
