"""The files made from a video's answers: exports, figures and the heat-map video.

`answers` decides whether an existing answer is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from avloc.artifacts import check_writable
from avloc.errors import UnknownNameError, UsageError
from avloc.export.formats.saving import formats, save
from avloc.export.heat_style import DEFAULT_STYLE, HeatStyle
from avloc.export.marks import OWN, refuse_foreign
from avloc.export.written_texts import RECORD_SUFFIX, WrittenTexts
from avloc.media import HEATMAP_SUFFIX, comment_of, loudness, middle_frames
from avloc.progress import Progress
from avloc.stages.localize.answers import Answer, digest
from avloc.stages.localize.inputs import InputVideo
from avloc.timeline import Timeline

if TYPE_CHECKING:
    from avloc.export.pictures import Frame

FIGURES = ("png", "pdf", "svg")
_WIDTH = 640  # pixels of a picture in a figure, a column of which is an inch at most


@dataclass(frozen=True)
class OutputOptions:
    """Which files to make from answers, and how; see `avloc.localize`."""

    formats: Sequence[str] = ()
    heatmap: bool = False
    figure: str | None = None
    compare: str | None = None
    look: HeatStyle = DEFAULT_STYLE
    model_names: Sequence[str] = ()
    overwrite: str = "stale"


def check_outputs(options: OutputOptions, n_videos: int) -> None:
    """Refuse what cannot be made, before work begins."""
    for name in options.formats:
        if name not in formats():
            raise UnknownNameError("format", name, formats())
    for figure in (options.figure, options.compare):
        if figure is not None and figure not in FIGURES:
            _check_figure(figure, n_videos)
    if options.compare is not None and len(options.model_names) == 1:
        raise UsageError("a comparison needs two models", "Name both: --model A --model B.")


def text_files(video: InputVideo, options: OutputOptions) -> dict[Path, str]:
    """Return the text files of a video, and the format of each; the answer's file is not one."""
    names = [name for name in options.formats if name != "h5"]
    return {video.result(OWN + formats()[name]): name for name in names}


def refuse_outputs(video: InputVideo, options: OutputOptions) -> None:
    """Refuse to replace files that avloc did not write, or that were changed since."""
    if options.heatmap:
        refuse_foreign(video.result(HEATMAP_SUFFIX))
    if options.overwrite != "never":
        written = WrittenTexts(video.result(RECORD_SUFFIX))
        for path in text_files(video, options):
            written.refuse_changed(path)


@dataclass(frozen=True)
class OutputFiles:
    """The files made from one video's answers."""

    video: InputVideo
    answers: Sequence[Answer]
    options: OutputOptions
    progress: Progress

    def write(self) -> Iterator[tuple[Path, bool]]:
        """Make the files, the quick ones first; yield each, and whether it is new."""
        options, has_picture = self.options, self._timelines[0].frame_size is not None
        for path, name in text_files(self.video, options).items():
            yield self._written(path, partial(self._save, path, name))
        if options.figure is not None:
            path = self._figure_path(options.figure, "figure")
            yield self._written(path, partial(self._draw_events, path))
        if options.compare is not None and has_picture:
            path = self._figure_path(options.compare, "compare")
            yield self._written(path, partial(self._draw_attention, path))
        if options.heatmap and has_picture:
            path, stamp = self.video.result(HEATMAP_SUFFIX), self._heatmap_stamp()
            is_valid = options.overwrite == "stale" and path.exists() and comment_of(path) == stamp
            yield (path, False) if is_valid else self._written(path, partial(self._render, stamp))

    def _save(self, path: Path, format: str) -> None:
        with WrittenTexts(self.video.result(RECORD_SUFFIX)).writing(path):
            save(self._timelines[0], path, format)

    @property
    def _timelines(self) -> list[Timeline]:
        return [answer.timeline for answer in self.answers]

    def _written(self, path: Path, make: Callable[[], object]) -> tuple[Path, bool]:
        is_new = self.options.overwrite != "never" or not path.exists()
        if is_new:
            make()
        return path, is_new

    def _figure_path(self, figure: str, what: str) -> Path:
        is_suffix = figure in FIGURES
        return self.video.result(f"{OWN}.{what}.{figure}") if is_suffix else Path(figure)

    def _heatmap_stamp(self) -> str:
        """Return the comment in a heat-map video: a hash of all that it shows."""
        truth = self.video.true_events
        events = None if truth is None else [astuple(event) for event in truth]
        return f"avloc {digest([self.answers[0].key, astuple(self.options.look), events])}"

    def _render(self, stamp: str) -> None:
        from avloc.export.heatmap.overlay import render_heatmap

        render_heatmap(
            self._timelines[0],
            self.video.file,
            self.video.result(HEATMAP_SUFFIX),
            style=self.options.look,
            truth=self.video.true_events,
            comment=stamp,
            progress=self.progress,
        )

    def _draw_events(self, path: Path) -> None:
        from avloc.export.figures.events_figure import events_figure, events_segments
        from avloc.export.figures.figure_file import write_figure

        timeline, video = self._timelines[0], self.video
        figure = events_figure(
            self._timelines,
            self._frames(events_segments(timeline)),
            names=self.options.model_names,
            truth=video.true_events,
            waveform=None if "no_audio" in timeline.flags else loudness(video.file, timeline.grid),
            style=self.options.look,
        )
        write_figure(figure, path)

    def _draw_attention(self, path: Path) -> None:
        from avloc.export.figures.attention_figure import attention_figure, attention_segments
        from avloc.export.figures.figure_file import write_figure

        boxes = self.video.boxes
        figure = attention_figure(
            self._timelines,
            self._frames(attention_segments(self._timelines)),
            names=self.options.model_names,
            boxes=boxes if len(boxes) == self._timelines[0].grid.n_segments else None,
            style=self.options.look,
        )
        write_figure(figure, path)

    def _frames(self, segments: Sequence[int]) -> dict[int, Frame]:
        timeline = self._timelines[0]
        if timeline.frame_size is None:
            return {}
        return middle_frames(self.video.file, timeline.grid, segments, width=_WIDTH)


def _check_figure(target: str, n_videos: int) -> None:
    from avloc.export.figures.figure_file import figure_suffix

    suffix = figure_suffix(target)
    if n_videos > 1:
        raise UsageError(
            f"{n_videos} videos cannot have one figure {target}",
            f"Write {suffix[1:]} for a figure beside the results of each video.",
        )
    refuse_foreign(target)
    check_writable(target)
