"""The page about a run of ``localize``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from avloc.artifacts import read_model
from avloc.events import EventRules
from avloc.export import ReportClip, evenly, jpeg, report_thumbnails, write_report
from avloc.media import HEATMAP_SUFFIX, middle_frames
from avloc.stages.answers import Answer
from avloc.stages.inputs import Input
from avloc.stages.products import Products

_MOST_THUMBNAILS = 40  # of a video: 10 KB each
_WIDTH = 240  # pixels


class Reporting:
    """Gathers videos as they are done, and writes the page of all.

    Args:
        path: the page's file.
        products: how heat maps look, and who knows the truth.
        model: the model file whose answers are shown.
        rules: what made an event.
    """

    def __init__(self, path: Path, products: Products, model: Path, rules: EventRules) -> None:
        self.path = path
        self._products, self._model, self._rules = products, model, rules
        self._clips: list[ReportClip] = []

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
            made = report_thumbnails(timeline, frames, style=look.style, alpha=look.alpha)
            pictures = [None if picture is None else jpeg(picture) for picture in made]
        heatmaps = [file for file in files if file.name.endswith(HEATMAP_SUFFIX)]
        self._clips.append(
            ReportClip(
                timeline,
                truth=self._products.true_events(timeline),
                thumbnails=pictures,
                video=heatmaps[0] if heatmaps else one.video,
                files=[one.video, *(file for file in files if file not in heatmaps)],
                note=note,
            )
        )

    def write(self) -> None:
        """Write the page of what was added; nothing if that was nothing.

        Raises:
            OutputError: the place cannot be written.
        """
        if not self._clips:
            return
        names = [Path(clip.timeline.source).name for clip in self._clips]
        title = names[0] if len(names) == 1 else f"{len(names)} videos"
        write_report(self.path, title=title, timelines=self._clips, made=self._made())

    def _made(self) -> dict[str, str]:
        """Say what the answers follow from."""
        model, standard = read_model(self._model), asdict(EventRules())
        changed = {n: v for n, v in asdict(self._rules).items() if v != standard[n]}
        rules = ", ".join(f"{name} {value}" for name, value in changed.items())
        encoders = [str(model.spec[name]) for name in ("visual", "audio") if model.spec.get(name)]
        return {
            "Model file": str(self._model),
            "Encoders": " and ".join(encoders),
            "Events": rules or "the likeliest label of each second",
            "Versions": ", ".join(f"{name} {version(name)}" for name in ("torch", "av")),
        }
