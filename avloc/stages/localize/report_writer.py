"""The page about a run of ``localize``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from avloc.artifacts import ModelFile, check_place
from avloc.errors import AvlocError, UsageError
from avloc.events import EventRules
from avloc.export.figures.columns import evenly
from avloc.export.links import jpeg
from avloc.export.marks import refuse_foreign
from avloc.export.pictures import report_thumbnails
from avloc.export.report.page import write_report
from avloc.export.report.report_parts import ReportClip
from avloc.media import HEATMAP_SUFFIX, middle_frames
from avloc.stages.localize.answers import Answer
from avloc.stages.localize.inputs import Input
from avloc.stages.localize.outputs import Products

_MOST_THUMBNAILS = 40  # of a video: 10 KB each
_WIDTH = 240  # pixels


class Reporting:
    """Gathers videos as they are done, and writes the page of all.

    Args:
        path: the page's file.
        products: how heat maps look, and who knows the truth.
        model: whose answers are shown.
        model_path: the model's file.
        rules: what made an event.
    """

    def __init__(
        self, path: Path, products: Products, model: ModelFile, model_path: Path, rules: EventRules
    ) -> None:
        self._path, self._products = path, products
        self._model, self._model_path, self._rules = model, model_path, rules
        self._clips: list[ReportClip] = []
        self._failures: list[str] = []

    def add(self, one: Input, answer: Answer, files: Sequence[Path], note: str) -> None:
        """Take a video's answer, and pictures of some of its seconds.

        Args:
            one: the video.
            answer: what was found in it.
            files: what was made of it.
            note: what a reader should know of it.

        Raises:
            MediaError: it cannot be decoded.
        """
        timeline, look = answer.timeline, self._products.look
        pictures: list[bytes | None] = []
        if timeline.frame_size is not None:
            n_segments = timeline.grid.n_segments
            shown = evenly(n_segments, _MOST_THUMBNAILS)
            found = middle_frames(one.video, timeline.grid, shown, width=_WIDTH)
            frames = [found.get(t) for t in range(n_segments)]
            made = report_thumbnails(timeline, frames, style=look)
            pictures = [None if picture is None else jpeg(picture) for picture in made]
        heatmaps = [file for file in files if file.name.endswith(HEATMAP_SUFFIX)]
        self._clips.append(
            ReportClip(
                timeline,
                truth=self._products.true_events(one),
                thumbnails=pictures,
                video=heatmaps[0] if heatmaps else one.video,
                files=[one.video, *(file for file in files if file not in heatmaps)],
                note=note,
            )
        )

    def fail(self, video: Path, error: AvlocError) -> None:
        """Take note of a video that has no answer."""
        said = error.message  # which mostly names the video
        self._failures.append(said if video.name in said else f"{video.name}: {said}")

    def write(self) -> None:
        """Write the page of what was added; nothing if that was nothing.

        Raises:
            OutputError: the place cannot be written.
        """
        if not self._clips:
            return
        names = [Path(clip.timeline.source).name for clip in self._clips]
        title = names[0] if len(names) == 1 else f"{len(names)} videos"
        write_report(self._path, title=title, timelines=self._clips, made=self._made())

    def _made(self) -> dict[str, str]:
        """Say what the answers follow from."""
        standard = asdict(EventRules())
        changed = {n: v for n, v in asdict(self._rules).items() if v != standard[n]}
        rules = ", ".join(f"{name} {value}" for name, value in changed.items())
        made = {
            "Model file": self._model_path.name,
            "Encoders": " and ".join(self._model.spec.encoders),
            "Events": rules or "the likeliest label of each second",
            "Versions": ", ".join(f"{name} {version(name)}" for name in ("torch", "av")),
        }
        return made | ({"Failed": "; ".join(self._failures)} if self._failures else {})


def check_page(path: Path) -> None:
    """Refuse a page that cannot be written, before work begins.

    Raises:
        UsageError: it does not end in ``.html`` or ``.htm``. OutputError: a file that avloc
        did not write is there, or nothing can be written there.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{path} is no name for a page", "End it in .html.")
    refuse_foreign(path)
    check_place(path)
