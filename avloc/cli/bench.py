"""``avloc bench``: how fast extraction is here."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avloc.cli import console
from avloc.cli.choices import choice
from avloc.cli.parameters import Audio, Device, Precision, Runtime, Visual

if TYPE_CHECKING:
    from avloc.benchmark import Benchmark, RuntimeSpeed


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
    runtimes: Annotated[
        bool, typer.Option("--runtimes", help="Compare the runtimes of the visual encoder.")
    ] = False,
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

    It measures extraction, the runtimes of the visual encoder (--runtimes), or an epoch of
    training (--training).

    Nothing is downloaded: random weights of the same shapes stand in for missing ones.
    """
    from avloc.benchmark import bench as measure

    with console.progress_bar("bench") as progress:
        found = measure(
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
            runtimes=runtimes,
            training=training,
            scratch=scratch,
            progress=progress,
        )
    _show(found, as_json or format == "json")


def _show(found: Benchmark, as_json: bool) -> None:
    if isinstance(found.speed, tuple):
        _show_ways(found, found.speed, as_json)
    elif as_json:
        console.data(json.dumps(found.facts | asdict(found.speed), indent=2))
    else:
        console.show_facts([*found.facts.items(), *found.speed.facts()])


def _show_ways(found: Benchmark, ways: tuple[RuntimeSpeed, ...], as_json: bool) -> None:
    if as_json:
        console.data(json.dumps([asdict(way) for way in ways], indent=2))
        return
    rows = [
        [way.name, f"{way.frames_per_second:.1f}", f"{way.ratio:.2f}", f"{way.largest_error:.1e}"]
        for way in ways
    ]
    title = f"{found.facts['visual']} on {found.facts['machine']}"
    console.show_table(title, ["way", "frames/s", "ratio to as built", "largest error"], rows)
