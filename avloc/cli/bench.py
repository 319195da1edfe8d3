"""``avloc bench``: how fast this machine is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from avloc.cli import console
from avloc.cli.choices import choice
from avloc.cli.parameters import Audio, Device, Offline, Precision, Runtime, Visual, Weights


def bench(
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="Videos of similar length; without any, clips are made."),
    ] = None,
    visual: Visual = "resnet152",
    audio: Audio = "vggish",
    clips: Annotated[int, typer.Option(min=1, help="How many clips to make.")] = 8,
    size: Annotated[
        str, typer.Option(metavar="WxH", help="The size of the clips to make.")
    ] = "640x360",
    rounds: Annotated[int, typer.Option(min=1, help="How many times to measure.")] = 2,
    workers: Annotated[int | None, typer.Option(min=0, help="Decoding processes.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Frames per batch.")] = None,
    device: Device = "auto",
    precision: Precision = "auto",
    runtime: Runtime = "auto",
    weights: Weights = None,
    offline: Offline = False,
    training: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="ROWS", help="Measure an epoch of CMAN on so many rows; AVE has 3339."
        ),
    ] = None,
    format: Annotated[
        str, choice("format", ("table", "json"), help="How the figures are printed.")
    ] = "table",
    as_json: Annotated[bool, typer.Option("--json", hidden=True)] = False,
    scratch: Annotated[
        Path | None, typer.Option(help="A folder for clips and features, kept for the next run.")
    ] = None,
) -> None:
    """Measure how fast this machine is, and what limits it.

    It measures extraction end to end and in parts, or an epoch of training (--training).
    """
    from avloc.stages.bench import bench as measure

    with console.progress_bar("bench") as progress:
        speed = measure(
            paths or (),
            visual=visual,
            audio=audio,
            clips=clips,
            size=size,
            rounds=rounds,
            workers=workers,
            batch_size=batch_size,
            device=device,
            precision=precision,
            runtime=runtime,
            weights=weights,
            offline=offline,
            training=training,
            scratch=scratch,
            progress=progress,
        )
    if as_json or format == "json":
        console.data(json.dumps(speed, indent=2))
    else:
        console.show_facts([(name.replace("_", " "), _words(speed[name])) for name in speed])


def _words(value: str | float | list[float]) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
