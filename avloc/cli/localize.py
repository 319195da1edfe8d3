"""``avloc localize``: a video to its events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avloc.cli import console
from avloc.cli.choices import EXPORT_FORMATS, choice
from avloc.cli.parameters import Artifacts, Device, Offline, Overwrite, Weights, paths_or_stdin
from avloc.cli.piping import Pipe
from avloc.errors import AvlocError, NameRefusedError, OutputError, PartialFailureError

if TYPE_CHECKING:
    from avloc.stages.localize.run import LocalizedVideo
    from avloc.timeline import Timeline

_FIGURE = "png, pdf or svg for a file beside the results, or a file's name"


def localize(
    videos: Annotated[
        list[str],
        typer.Argument(help="Videos, sound files, or folders of them; - reads paths from stdin."),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A model's name in the workspace, or a model file. Events of further models are "
            "shown beside those of the first.",
            show_default="cman",
        ),
    ] = None,
    heatmap: Annotated[
        bool,
        typer.Option("--heatmap", help="Also write the video with its heat map and its sound."),
    ] = False,
    heatmap_style: Annotated[
        str, typer.Option(metavar="NAME", help="A matplotlib colour map.")
    ] = "turbo",
    alpha: Annotated[
        float, typer.Option(help="The heat map's greatest opacity, from 0 to 1.")
    ] = 0.55,
    figure: Annotated[
        str | None,
        typer.Option(metavar="FILE", help=f"Draw events, pictures and gates by second: {_FIGURE}."),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(metavar="FILE", help=f"Draw where two models look: {_FIGURE}."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write one HTML page about all videos to this file."),
    ] = None,
    format: Annotated[
        list[str] | None,
        choice("format", EXPORT_FORMATS, help="Also write the events in this format."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="A folder for the results; - writes the events to stdout, and no file.",
            show_default="beside each video",
        ),
    ] = None,
    overwrite: Overwrite = "stale",
    dataset: Annotated[
        Path | None,
        typer.Option(help="A labelled data set: its true events are shown beside those found."),
    ] = None,
    keep: Annotated[
        float,
        typer.Option(
            help="An event continues through background while its label has this probability."
        ),
    ] = 1.0,
    min_gap: Annotated[
        float, typer.Option(help="Join events of one label that are fewer seconds apart.")
    ] = 0.0,
    min_seconds: Annotated[float, typer.Option(help="Drop events shorter than this.")] = 0.0,
    min_score: Annotated[float, typer.Option(help="Drop events with a lower score.")] = 0.0,
    label: Annotated[
        list[str] | None,
        typer.Option(
            help="Keep only events of this label; repeatable.", show_default="all of them"
        ),
    ] = None,
    device: Device = "auto",
    weights: Weights = None,
    offline: Offline = False,
    artifacts: Artifacts = None,
) -> None:
    """Find what happens in videos, when and where.

    Written beside each video (or to --out): NAME.avloc.h5, and NAME.heatmap.mp4 with --heatmap.
    A result that is there already, from the same video, model and rules, is kept.

    It needs a trained model (avloc train); avloc brings none.
    """
    import avloc
    from avloc.stages.localize.inputs import find_inputs

    paths = paths_or_stdin(videos)
    is_piped = str(out) == "-"
    answers: list[LocalizedVideo] = []

    def take(answer: LocalizedVideo) -> None:
        answers.append(answer)
        show(answer)

    n_videos = len(find_inputs(paths, None)) if is_piped else 0
    output = Pipe(format or (), n_videos) if is_piped else nullcontext(_show)
    with _summary(answers, report), output as show, console.progress_bar("localize") as progress:
        avloc.localize(
            paths,
            model=model or "cman",
            artifacts=artifacts,
            heatmap=heatmap,
            heatmap_style=heatmap_style,
            alpha=alpha,
            figure=figure,
            compare=compare,
            report=report,
            format=format or (),
            out=None if is_piped else out,
            write=not is_piped,
            overwrite=overwrite,
            dataset=dataset,
            keep=keep,
            min_gap=min_gap,
            min_seconds=min_seconds,
            min_score=min_score,
            labels=label or (),
            device=device,
            weights=weights,
            offline=offline,
            progress=progress,
            each=take,
        )


def _show(answer: LocalizedVideo) -> None:
    if answer.timeline is None:
        return
    _show_events(answer.video, answer.timeline)
    if answer.note:
        console.say(f"{answer.video} has {answer.note}")
    if answer.kept:
        console.say(f"already there: {', '.join(map(str, answer.kept))}")
    if answer.written:
        console.say(f"wrote {', '.join(map(str, answer.written))}")


def _show_events(video: Path, timeline: Timeline) -> None:
    rows = [
        (f"{event.start:g}", f"{event.end:g}", event.label, f"{event.score:.2f}")
        for event in timeline
    ]
    title = f"{video}: {len(rows) or 'no'} event{'s' * (len(rows) != 1)}"
    if rows:
        console.show_table(title, ("start", "end", "label", "score"), rows)
    else:
        console.data(title)


@contextmanager
def _summary(answers: Sequence[LocalizedVideo], report: Path | None) -> Iterator[None]:
    """Name what failed, also where the run ends with an error; end with the report's place.

    Raises:
        AvlocError: all failed. PartialFailureError: some did.
    """
    failed: list[tuple[Path, AvlocError]] = []
    try:
        yield
    finally:
        failed = [(one.video, _hinted(one.error)) for one in answers if one.error is not None]
        if len(answers) > 1:
            for video, error in failed:
                console.say(console.failure_line(video, error))
    if len(answers) == 1 and failed:
        raise failed[0][1]
    if report is not None and len(failed) < len(answers):
        console.say(f"wrote {report}")
    if failed:
        kind = AvlocError if len(failed) == len(answers) else PartialFailureError
        raise kind(f"{len(failed)} of {len(answers)} videos failed")


def _hinted(error: AvlocError) -> AvlocError:
    """Add the option that helps where a result cannot be written beside its video."""
    if isinstance(error, OutputError) and not isinstance(error, NameRefusedError):
        error.hint = f"{error.hint} --out DIR names another folder.".strip()
    return error
