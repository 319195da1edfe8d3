"""The page about a run of ``localize``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Self

from avloc.artifacts import Location, check_writable
from avloc.errors import AvlocError, PartialFailureError, UsageError
from avloc.events import EventRules
from avloc.export.heat_style import HeatStyle
from avloc.export.marks import refuse_foreign
from avloc.export.pictures import evenly, report_thumbnails
from avloc.export.report.page import write_report
from avloc.export.report.report_clips import ReportClip
from avloc.media import HEATMAP_SUFFIX, middle_frames
from avloc.stages.localize.answers import CachedModels
from avloc.stages.localize.inputs import InputVideo
from avloc.timeline import Timeline

_MOST_THUMBNAILS = 40  # of a video: 10 KB each


class ReportWriter:
    """Collects the videos of a run; at the end of its ``with`` block it writes the page.

    Args:
        path: the page's file; refused if it cannot be written.
        models: the models, the first of which is shown.
        look: how heat maps look.
    """

    def __init__(self, path: Path, models: CachedModels, look: HeatStyle) -> None:
        if path.suffix.lower() not in (".html", ".htm"):
            raise UsageError(f"{path} is not the name of a page", "End it in .html.")
        refuse_foreign(path)
        check_writable(path)
        self._path, self._models, self._look = path, models, look
        self._clips: list[ReportClip] = []
        self._failures: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self._write()
        except AvlocError as failure:
            if error is None:  # else the error that ended the run matters more
                n_done, n_failed = len(self._clips), len(self._failures)
                reason = f"{n_done} of {n_done + n_failed} videos were answered, but not the report"
                raise PartialFailureError(f"{reason}: {failure.message}", failure.hint) from failure

    def add(self, video: InputVideo, timeline: Timeline, files: Sequence[Path], note: str) -> None:
        """Add a video's answer, the files made from it, and a note to the reader."""
        heatmaps = [file for file in files if file.name.endswith(HEATMAP_SUFFIX)]
        local = [video.path] if isinstance(video.path, Path) else []
        self._clips.append(
            ReportClip(
                timeline,
                truth=video.true_events,
                thumbnails=self._thumbnails(video.file, timeline),
                video=next(iter([*heatmaps, *local]), None),
                files=[*local, *(file for file in files if file not in heatmaps)],
                note=note,
            )
        )

    def add_failure(self, video: Location, error: AvlocError) -> None:
        """Add a video that has no answer."""
        message = error.message  # most of them name the video
        self._failures.append(message if video.name in message else f"{video.name}: {message}")

    def _write(self) -> None:
        """Write the page; no page where no video has an answer."""
        if self._clips:
            names = [Path(clip.timeline.source).name for clip in self._clips]
            title = names[0] if len(names) == 1 else f"{len(names)} videos"
            write_report(self._path, title=title, timelines=self._clips, made=self._provenance())

    def _thumbnails(self, video: Path, timeline: Timeline) -> dict[int, bytes]:
        if timeline.frame_size is None:
            return {}
        shown = evenly(timeline.grid.n_segments, _MOST_THUMBNAILS)
        frames = middle_frames(video, timeline.grid, shown, width=240)
        return report_thumbnails(timeline, frames, self._look)

    def _provenance(self) -> dict[str, str]:
        """Return what the answers depend on, in words."""
        defaults = asdict(EventRules())
        changed = {n: v for n, v in asdict(self._models.rules).items() if v != defaults[n]}
        rules = ", ".join(f"{name} {value}" for name, value in changed.items())
        facts = {
            "Model file": self._models.paths[0].name,  # of one in memory, its name
            "Encoders": " and ".join(self._models.files[0].spec.encoders),
            "Events": rules or "labels whose score reaches their threshold",
            "Versions": ", ".join(f"{name} {version(name)}" for name in ("torch", "av")),
        }
        return facts | ({"Failed": "; ".join(self._failures)} if self._failures else {})
