"""The files made from a video's answers: exports, figures and the heat-map video."""

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


def write_outputs(
    video: InputVideo, answers: Sequence[Answer], options: OutputOptions, progress: Progress
) -> Iterator[tuple[Path, bool]]:
    """Make the files of one video, the quick ones first; yield each, and whether it is new."""
    timelines = [answer.timeline for answer in answers]
    keep_all = options.overwrite == "never"
    has_picture = timelines[0].frame_size is not None
    for name in options.formats:
        if name != "h5":  # the answer's file is one
            path = video.result(OWN + formats()[name])
            yield _written(path, partial(save, timelines[0], path, name), is_kept=keep_all)
    if options.figure is not None:
        path = _figure_path(video, options.figure, "figure")
        draw = partial(_draw_events, path, video, timelines, options)
        yield _written(path, draw, is_kept=keep_all)
    if options.compare is not None and has_picture:
        path = _figure_path(video, options.compare, "compare")
        draw = partial(_draw_attention, path, video, timelines, options)
        yield _written(path, draw, is_kept=keep_all)
    if options.heatmap and has_picture:
        path = video.result(HEATMAP_SUFFIX)
        stamp = _heatmap_stamp(video, answers[0], options.look)
        is_valid = options.overwrite == "stale" and path.exists() and comment_of(path) == stamp
        render = partial(_render, path, video, timelines[0], options.look, stamp, progress)
        yield _written(path, render, is_kept=keep_all or is_valid)


def _written(path: Path, make: Callable[[], object], *, is_kept: bool) -> tuple[Path, bool]:
    """Make a file, unless it exists and is to be kept."""
    is_new = not (is_kept and path.exists())
    if is_new:
        make()
    return path, is_new


def _heatmap_stamp(video: InputVideo, answer: Answer, look: HeatStyle) -> str:
    """Return the comment in a heat-map video: a hash of all that it shows."""
    truth = video.true_events
    events = None if truth is None else [astuple(event) for event in truth]
    return f"avloc {digest([answer.key, astuple(look), events])}"


def _render(
    path: Path,
    video: InputVideo,
    timeline: Timeline,
    look: HeatStyle,
    stamp: str,
    progress: Progress,
) -> None:
    from avloc.export.heatmap.overlay import render_heatmap

    render_heatmap(
        timeline,
        video.path,
        path,
        style=look,
        truth=video.true_events,
        comment=stamp,
        progress=progress,
    )


def _draw_events(
    path: Path, video: InputVideo, timelines: Sequence[Timeline], options: OutputOptions
) -> None:
    from avloc.export.figures.events_figure import events_figure, events_segments
    from avloc.export.figures.figure_file import write_figure

    grid, flags = timelines[0].grid, timelines[0].flags
    figure = events_figure(
        timelines,
        _frames(video.path, timelines[0], events_segments(timelines[0])),
        names=options.model_names,
        truth=video.true_events,
        waveform=None if "no_audio" in flags else loudness(video.path, grid),
        style=options.look,
    )
    write_figure(figure, path)


def _draw_attention(
    path: Path, video: InputVideo, timelines: Sequence[Timeline], options: OutputOptions
) -> None:
    from avloc.export.figures.attention_figure import attention_figure, attention_segments
    from avloc.export.figures.figure_file import write_figure

    has_boxes = len(video.boxes) == timelines[0].grid.n_segments
    figure = attention_figure(
        timelines,
        _frames(video.path, timelines[0], attention_segments(timelines)),
        names=options.model_names,
        boxes=video.boxes if has_boxes else None,
        style=options.look,
    )
    write_figure(figure, path)


def _check_figure(target: str, n_videos: int) -> None:
    from avloc.export.figures.figure_file import figure_suffix

    suffix = figure_suffix(target)
    if n_videos > 1:
        raise UsageError(
            f"{n_videos} videos cannot have one figure {target}",
            f"Write {suffix[1:]} for a figure beside each one's results.",
        )
    refuse_foreign(target)
    check_writable(target)


def _figure_path(video: InputVideo, figure: str, what: str) -> Path:
    is_suffix = figure in FIGURES
    return video.result(f"{OWN}.{what}.{figure}") if is_suffix else Path(figure)


def _frames(video: Path, timeline: Timeline, segments: Sequence[int]) -> dict[int, Frame]:
    """Return pictures of these segments of a video."""
    if timeline.frame_size is None:
        return {}
    return middle_frames(video, timeline.grid, segments, width=_WIDTH)
