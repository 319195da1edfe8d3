"""What is made of a video's answer beside its own file: exports, heat-map video, figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field
from functools import partial
from pathlib import Path

from avloc.datasets import Dataset, SegmentBoxes
from avloc.errors import UnknownNameError, UsageError
from avloc.export import (
    MOST_COLUMNS,
    HeatStyle,
    attention_segments,
    draw_attention_figure,
    draw_events_figure,
    evenly,
    figure_suffix,
    formats,
    render_heatmap,
    save,
)
from avloc.export.pictures import Frame
from avloc.media import HEATMAP_SUFFIX, comment_of, loudness, middle_frames
from avloc.progress import Progress
from avloc.stages.answers import Answer, digest
from avloc.stages.inputs import Input
from avloc.timeline import Event, Timeline

FIGURES = ("png", "pdf", "svg")
_WIDTH = 640  # pixels of a picture in a figure, a column of which is an inch at most


@dataclass(frozen=True)
class Product:
    """One file to make: where, how, and whether it is there already, made of the same."""

    path: Path
    is_there: bool
    make: partial[Path]


@dataclass(frozen=True)
class Products:
    """What to make of each answer.

    Attributes:
        format: names of `avloc.export.formats`.
        heatmap: whether to render a video with its heat map.
        figure: the events of each model over the seconds: ``png``, ``pdf`` or ``svg`` to lie
            beside the answer, or a file's name; None for none.
        compare: the same for the figure of where two models look.
        look: how heat maps look in figures and reports.
        truth: knows the true events; None if nobody does.
        boxes: where what sounds is in the picture, by video id.
        names: the models'.
        is_forced: make anew what is there already.
    """

    format: Sequence[str] = ()
    heatmap: bool = False
    figure: str | None = None
    compare: str | None = None
    look: HeatStyle = field(default_factory=HeatStyle)
    truth: Dataset | None = None
    boxes: SegmentBoxes | None = None
    names: Sequence[str] = ()
    is_forced: bool = False

    def check(self, n_videos: int) -> None:
        """Refuse what cannot be made, before work begins.

        Raises:
            UnknownNameError: no such format. UsageError: a figure's name is no picture's, or
            one file is to hold several videos' figures.
        """
        for name in self.format:
            if name not in formats():
                raise UnknownNameError("format", name, formats())
        for asked in filter(None, (self.figure, self.compare)):
            if asked not in FIGURES and figure_suffix(asked) and n_videos > 1:
                raise UsageError(
                    f"{n_videos} videos cannot have one figure {asked}",
                    f"Write {asked.rpartition('.')[2]} for a figure beside each one's results.",
                )
        if self.compare is not None and len(self.names) < 2:
            raise UsageError("a comparison needs two models", "Name both: --model A --model B.")

    def of(self, one: Input, answers: Sequence[Answer], progress: Progress) -> Iterator[Product]:
        """Yield what is to be made of a video's answers, quick things first."""
        own = answers[0]
        for name in self.format:
            make = partial(save, own.timeline, one.result(formats()[name]), name)
            yield Product(one.result(formats()[name]), False, make)
        if self.figure is not None:
            path = self._figure_path(one, self.figure, ".figure.")
            yield Product(path, False, partial(self._draw_events, one, answers, path))
        if self.compare is not None and own.timeline.frame_size is not None:
            path = self._figure_path(one, self.compare, ".compare.")
            yield Product(path, False, partial(self._draw_attention, one, answers, path))
        if self.heatmap and own.timeline.frame_size is not None:
            yield self._heatmap(one, own, progress)

    def true_events(self, timeline: Timeline) -> tuple[Event, ...] | None:
        """Return a video's true events; None if nobody knows them."""
        return None if self.truth is None else self.truth.events_of(timeline.video_id)

    def _figure_path(self, one: Input, asked: str, middle: str) -> Path:
        return one.result(middle + asked) if asked in FIGURES else Path(asked)

    def _heatmap(self, one: Input, answer: Answer, progress: Progress) -> Product:
        path, truth = one.result(HEATMAP_SUFFIX), self.true_events(answer.timeline)
        events = None if truth is None else [astuple(event) for event in truth]
        made_of = f"avloc {digest([answer.key, astuple(self.look), events])}"
        make = partial(
            render_heatmap,
            answer.timeline,
            one.video,
            path,
            style=self.look.style,
            alpha=self.look.alpha,
            ground_truth=truth,
            comment=made_of,
            progress=progress,
        )
        is_there = not self.is_forced and path.exists() and comment_of(path) == made_of
        return Product(path, is_there, make)

    def _draw_events(self, one: Input, answers: Sequence[Answer], path: Path) -> Path:
        timelines = [answer.timeline for answer in answers]
        grid, flags = timelines[0].grid, timelines[0].flags
        return draw_events_figure(
            timelines,
            _frames(one.video, timelines[0], evenly(grid.n_segments, MOST_COLUMNS)),
            path,
            names=self.names,
            truth=self.true_events(timelines[0]),
            waveform=None if "no_audio" in flags else loudness(one.video, grid),
            style=self.look.style,
            alpha=self.look.alpha,
        )

    def _draw_attention(self, one: Input, answers: Sequence[Answer], path: Path) -> Path:
        timelines = [answer.timeline for answer in answers]
        boxes = (self.boxes or {}).get(timelines[0].video_id, ())
        return draw_attention_figure(
            timelines,
            _frames(one.video, timelines[0], attention_segments(timelines)),
            path,
            names=self.names,
            boxes=boxes if len(boxes) == timelines[0].grid.n_segments else None,
            style=self.look.style,
            alpha=self.look.alpha,
        )


def _frames(video: Path, timeline: Timeline, segments: Sequence[int]) -> list[Frame | None]:
    """Return a picture for some of a video's segments, and None for the others."""
    if timeline.frame_size is None:
        return [None] * timeline.grid.n_segments
    found = middle_frames(video, timeline.grid, segments, width=_WIDTH)
    return [found.get(t) for t in range(timeline.grid.n_segments)]
