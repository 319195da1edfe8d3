"""``avloc localize``: a video to its events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avloc.cli import console
from avloc.cli.options import Artifacts, Device, Offline, Weights, paths_or_stdin
from avloc.errors import AvlocError, PartialFailureError

if TYPE_CHECKING:
    from avloc.stages import Localization
    from avloc.timeline import Timeline

_ABSENT = {"no_audio": "no sound", "no_video": "no picture"}


def localize(
    videos: Annotated[
        list[str], typer.Argument(help="Videos, or folders of them; - reads paths from stdin.")
    ],
    model: Annotated[
        str, typer.Option(help="A model's name in the workspace, or a model file.")
    ] = "cman",
    heatmap: Annotated[
        bool, typer.Option("--heatmap", help="Also render a heat-map video, sound kept.")
    ] = False,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format", help="Also write json, jsonl, csv, tsv, srt, vtt, audacity or elan."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Where results go.", show_default="beside each video"),
    ] = None,
    keep: Annotated[
        float, typer.Option(help="Go on over background while the label has this probability.")
    ] = 1.0,
    min_gap: Annotated[
        float, typer.Option(help="Join events of one label fewer seconds apart.")
    ] = 0.0,
    min_seconds: Annotated[float, typer.Option(help="Leave out shorter events.")] = 0.0,
    min_score: Annotated[float, typer.Option(help="Leave out less sure events.")] = 0.0,
    labels: Annotated[
        str, typer.Option(help="Only these, by commas.", show_default="all of them")
    ] = "",
    device: Device = "auto",
    weights: Weights = None,
    offline: Offline = False,
    artifacts: Artifacts = None,
) -> None:
    """Find what happens in videos, when and where.

    Beside each video (or in --out): NAME.avloc.h5, and NAME.heatmap.mp4 with --heatmap.
    """
    from avloc import stages

    with console.progress_bar("localize") as progress:
        answers = stages.localize(
            paths_or_stdin(videos),
            model=model,
            artifacts=artifacts,
            heatmap=heatmap,
            formats=formats or (),
            out=out,
            keep=keep,
            min_gap=min_gap,
            min_seconds=min_seconds,
            min_score=min_score,
            labels=[name.strip() for name in labels.split(",") if name.strip()],
            device=device,
            weights=weights,
            offline=offline,
            progress=progress,
            each=_show,
        )
    _refuse_failures(answers)


def _show(answer: Localization) -> None:
    if answer.timeline is None:
        return
    _show_events(answer.video, answer.timeline)
    for flag in answer.timeline.flags:
        if flag in _ABSENT:
            console.say(f"{answer.video} has {_ABSENT[flag]}: answered from the other half alone")
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


def _refuse_failures(answers: list[Localization]) -> None:
    failed = [answer for answer in answers if answer.error is not None]
    if len(answers) == 1 and failed and failed[0].error is not None:
        raise failed[0].error
    for answer in failed:
        if answer.error is not None:
            console.say(f"failed: {answer.video}: {console.one_line(answer.error)}")
    if failed:
        kind = AvlocError if len(failed) == len(answers) else PartialFailureError
        raise kind(f"{len(failed)} of {len(answers)} videos failed")
