"""What is made of a video's answer beside its own file: exports, heat-map video, figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from avloc.artifacts import check_place
from avloc.errors import UnknownNameError, UsageError
from avloc.export.formats.saving import formats, save
from avloc.export.heat_style import HeatStyle
from avloc.export.marks import OWN, refuse_foreign
from avloc.media import HEATMAP_SUFFIX, comment_of, loudness, middle_frames
from avloc.progress import Progress
from avloc.stages.localize.answers import Answer, digest
from avloc.stages.localize.inputs import Input
from avloc.timeline import Event, Timeline

if TYPE_CHECKING:
    from avloc.export.pictures import Frame
    from avloc.stages.localize.truth import Truth

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
        truth: knows the true events, and where what sounds is; None if nobody does.
        names: the models'.
        overwrite: ``always`` makes a heat map anew that is there already, ``never`` nothing.
    """

    format: Sequence[str] = ()
    heatmap: bool = False
    figure: str | None = None
    compare: str | None = None
    look: HeatStyle = field(default_factory=HeatStyle)
    truth: Truth | None = None
    names: Sequence[str] = ()
    overwrite: str = "stale"

    def check(self, n_videos: int) -> None:
        """Refuse what cannot be made, before work begins.

        Raises:
            UnknownNameError: no such format. UsageError: a figure's name is no picture's, or
            one file is to hold several videos' figures. OutputError: a figure's file cannot be
            written, or is not avloc's.
        """
        for name in self.format:
            if name not in formats():
                raise UnknownNameError("format", name, formats())
        for asked in (self.figure, self.compare):
            if asked is not None and asked not in FIGURES:
                _check_figure(asked, n_videos)
        if self.compare is not None and len(self.names) == 1:
            raise UsageError("a comparison needs two models", "Name both: --model A --model B.")

    def check_video(self, one: Input) -> None:
        """Refuse a video whose heat map would replace a file that avloc did not write.

        Raises:
            OutputError: naming that file.
        """
        if self.heatmap:
            refuse_foreign(one.result(HEATMAP_SUFFIX))

    def of(self, one: Input, answers: Sequence[Answer], progress: Progress) -> Iterator[Product]:
        """Yield what is to be made of a video's answers, quick things first."""
        own = answers[0]
        for name in self.format:
            if name != "h5":  # which is the answer's own file
                path = one.result(OWN + formats()[name])
                yield self._product(path, partial(save, own.timeline, path, name))
        if self.figure is not None:
            path = _figure_path(one, self.figure, "figure")
            yield self._product(path, partial(self._draw_events, one, answers, path))
        if self.compare is not None and own.timeline.frame_size is not None:
            path = _figure_path(one, self.compare, "compare")
            yield self._product(path, partial(self._draw_attention, one, answers, path))
        if self.heatmap and own.timeline.frame_size is not None:
            yield self._heatmap(one, own, progress)

    def true_events(self, one: Input) -> tuple[Event, ...] | None:
        """Return a video's true events; None if nobody knows them."""
        return None if self.truth is None else self.truth.events(one)

    def _product(self, path: Path, make: partial[Path]) -> Product:
        return Product(path, self.overwrite == "never" and path.exists(), make)

    def _heatmap(self, one: Input, answer: Answer, progress: Progress) -> Product:
        path, truth = one.result(HEATMAP_SUFFIX), self.true_events(one)
        events = None if truth is None else [astuple(event) for event in truth]
        made_of = f"avloc {digest([answer.key, astuple(self.look), events])}"
        product = self._product(path, partial(self._render, one, answer, made_of, progress))
        if self.overwrite == "stale" and path.exists():
            return replace(product, is_there=comment_of(path) == made_of)
        return product

    def _render(self, one: Input, answer: Answer, made_of: str, progress: Progress) -> Path:
        from avloc.export.heatmap.overlay import render_heatmap

        return render_heatmap(
            answer.timeline,
            one.video,
            one.result(HEATMAP_SUFFIX),
            style=self.look,
            truth=self.true_events(one),
            comment=made_of,
            progress=progress,
        )

    def _draw_events(self, one: Input, answers: Sequence[Answer], path: Path) -> Path:
        from avloc.export.figures.columns import evenly
        from avloc.export.figures.events_figure import MOST_COLUMNS, draw_events_figure

        timelines = [answer.timeline for answer in answers]
        grid, flags = timelines[0].grid, timelines[0].flags
        return draw_events_figure(
            timelines,
            _frames(one.video, timelines[0], evenly(grid.n_segments, MOST_COLUMNS)),
            path,
            names=self.names,
            truth=self.true_events(one),
            waveform=None if "no_audio" in flags else loudness(one.video, grid),
            style=self.look,
        )

    def _draw_attention(self, one: Input, answers: Sequence[Answer], path: Path) -> Path:
        from avloc.export.figures.attention_figure import attention_segments, draw_attention_figure

        timelines = [answer.timeline for answer in answers]
        boxes = () if self.truth is None else self.truth.boxes(one)
        return draw_attention_figure(
            timelines,
            _frames(one.video, timelines[0], attention_segments(timelines)),
            path,
            names=self.names,
            boxes=boxes if len(boxes) == timelines[0].grid.n_segments else None,
            style=self.look,
        )


def _check_figure(asked: str, n_videos: int) -> None:
    from avloc.export.figures.figure_file import figure_suffix

    suffix = figure_suffix(asked)
    if n_videos > 1:
        raise UsageError(
            f"{n_videos} videos cannot have one figure {asked}",
            f"Write {suffix[1:]} for a figure beside each one's results.",
        )
    refuse_foreign(asked)
    check_place(asked)


def _figure_path(one: Input, asked: str, what: str) -> Path:
    return one.result(f"{OWN}.{what}.{asked}") if asked in FIGURES else Path(asked)


def _frames(video: Path, timeline: Timeline, segments: Sequence[int]) -> list[Frame | None]:
    """Return a picture for some of a video's segments, and None for the others."""
    if timeline.frame_size is None:
        return [None] * timeline.grid.n_segments
    found = middle_frames(video, timeline.grid, segments, width=_WIDTH)
    return [found.get(t) for t in range(timeline.grid.n_segments)]
