"""The worker of ``localize``: it answers a video and makes its files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from avloc.artifacts import claim
from avloc.errors import AvlocError
from avloc.progress import Progress
from avloc.stages.localize.answers import ANSWER_SUFFIX, CachedModels
from avloc.stages.localize.inputs import InputVideo
from avloc.stages.localize.localized_video import LocalizedVideo, modality_note, score_remarks
from avloc.stages.localize.output_files import OutputFiles, OutputOptions, refuse_outputs
from avloc.timeline import Timeline

if TYPE_CHECKING:
    from avloc.stages.localize.report_writer import ReportWriter

_FEATURES = 0.6  # their share of a video's time where a heat map is rendered too

Part = Callable[[float, str], None]
"""Called with the share of a video that is done, and what is done."""


@dataclass(frozen=True)
class VideoWorker:
    """Answers videos with models and makes the files that were asked for.

    Attributes:
        models: the models.
        outputs: which files.
        is_written: False makes no file.
    """

    models: CachedModels
    outputs: OutputOptions
    is_written: bool

    def localize(
        self, video: InputVideo, part: Part, writer: ReportWriter | None = None
    ) -> LocalizedVideo | None:
        """Localize a video, and add it to a report; None while another run works on it.

        An error is the video's, unless a model cannot be loaded.
        """
        with self._claim(video) as is_mine:
            return self._localize(video, part, writer) if is_mine else None

    def _claim(self, video: InputVideo) -> AbstractContextManager[bool]:
        if not self.is_written or video.error is not None:
            return nullcontext(True)
        self.models.prepare(video)  # before the claim makes a folder
        return claim(video.result(ANSWER_SUFFIX))

    def _localize(
        self, video: InputVideo, part: Part, writer: ReportWriter | None
    ) -> LocalizedVideo:
        written: list[Path] = []
        kept: list[Path] = []
        try:
            with video.staged() as here:
                timelines = self._make_files(here, part, written, kept)
                done = self._described(video, timelines, written, kept)
                if writer is not None:
                    writer.add(here, timelines[0], [*kept, *written], done.note)
                return done
        except AvlocError as error:
            if error is self.models.load_error:
                raise
            if writer is not None:
                writer.add_failure(video.path, error)
            return LocalizedVideo(video.path, written=tuple(written), error=error)

    def _described(
        self,
        video: InputVideo,
        timelines: list[Timeline],
        written: list[Path],
        kept: list[Path],
    ) -> LocalizedVideo:
        """Return a video's result from the answers of all models."""
        notes = (modality_note(self.models.files[0], timelines[0]), video.truth_note)
        return LocalizedVideo(
            video.path,
            timelines[0],
            others=tuple(timelines[1:]),
            written=tuple(written),
            kept=tuple(kept),
            note="; ".join(filter(None, notes)),
            remarks=score_remarks(timelines[0], self.models.rules.labels),
        )

    def _make_files(
        self, video: InputVideo, part: Part, written: list[Path], kept: list[Path]
    ) -> list[Timeline]:
        """Answer a video and make its files; the two lists grow with each file."""
        if self.is_written:
            refuse_outputs(video, self.outputs)
        share = _FEATURES if self.outputs.heatmap else 1.0
        features = _progress(part, 0.0, share, f"{video.path.name}: features", "segments")
        answers = self.models.answers(video, features, is_written=self.is_written)
        for answer in answers:
            if answer.path is not None:
                (kept if answer.is_reused else written).append(answer.path)
        if self.is_written:
            heatmap = _progress(part, share, 1 - share, f"{video.path.name}: heat map", "s")
            for path, is_new in OutputFiles(video, answers, self.outputs, heatmap).write():
                (written if is_new else kept).append(path)
        return [answer.timeline for answer in answers]


def _progress(part: Part, begin: float, share: float, what: str, unit: str) -> Progress:
    """Return the progress of one piece of work, as progress in the video."""

    def report(done: float, total: int, _: str) -> None:
        part(begin + share * done / max(total, 1), f"{what} {done:.0f}/{total} {unit}")

    return report
