"""``avloc bench``: how fast extraction is here."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from avloc.cli import console
from avloc.cli.options import Device

if TYPE_CHECKING:
    from avloc.benchmark import ExtractionSpeed, TrainingSpeed


def bench(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Videos of like length; clips are made if none.")
    ] = None,
    visual: Annotated[str, typer.Option(help="The visual encoder.")] = "resnet152",
    audio: Annotated[str, typer.Option(help="The audio encoder.")] = "vggish",
    clips: Annotated[int, typer.Option(min=1, help="How many clips to make.")] = 8,
    size: Annotated[str, typer.Option(metavar="WxH", help="Of the clips made.")] = "640x360",
    rounds: Annotated[int, typer.Option(min=1, help="How often to measure.")] = 2,
    workers: Annotated[int | None, typer.Option(min=0, help="Decoding processes.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Frames a batch.")] = None,
    device: Device = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32 or fp16.")] = "auto",
    runtime: Annotated[str, typer.Option(help="auto, eager, compile or onnx.")] = "auto",
    runtimes: Annotated[
        bool, typer.Option("--runtimes", help="Compare the ways to run the visual encoder.")
    ] = False,
    training: Annotated[
        int | None,
        typer.Option(min=1, metavar="ROWS", help="Measure CMAN's epoch; AVE has 3339 rows."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    scratch: Annotated[
        Path | None, typer.Option(help="A folder for clips and stores; kept, and used again.")
    ] = None,
) -> None:
    """Measure how fast this machine is, and what decides.

    Extraction, the ways to run its network (--runtimes), or an epoch of training.

    Nothing is downloaded: where weights are not at hand made-up ones are as fast.
    """
    from avloc import benchmark

    if training is not None:
        _show_training(training, device, as_json)
        return
    shape = benchmark.ClipShape.parse(size)
    with TemporaryDirectory(prefix="avloc-bench-") as temporary:
        folder = scratch or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if runtimes:
            _show_runtimes(visual, device, precision, folder, as_json)
            return
        encoders = benchmark.encoders_at_hand(
            visual, audio, folder, device=device, precision=precision, runtime=runtime
        )
        videos = [(Path(p).stem, Path(p)) for p in paths or []]
        videos = videos or benchmark.make_clips(folder / "clips", clips, shape)
        with console.progress_bar("bench") as progress, TemporaryDirectory(dir=folder) as stores:
            speed = benchmark.measure_extraction(
                videos,
                encoders,
                Path(stores),
                workers=workers,
                batch_size=batch_size,
                rounds=rounds,
                progress=progress,
            )
        named = {
            "machine": benchmark.machine(encoders.device),
            "encoders": f"{visual} and {audio}, {encoders.spec.precision}",
            "weights": "made up" if benchmark.are_made_up(encoders) else "their own",
        }
    _show(named, speed, as_json)


def _show_training(n_rows: int, device: str, as_json: bool) -> None:
    from avloc import benchmark
    from avloc.devices import choose_device
    from avloc.training import TrainingConfig

    place = choose_device(device)
    speed = benchmark.measure_training(n_rows, place, TrainingConfig())
    _show({"machine": benchmark.machine(place)}, speed, as_json)


def _show(named: dict[str, str], speed: ExtractionSpeed | TrainingSpeed, as_json: bool) -> None:
    if as_json:
        console.data(json.dumps(named | asdict(speed), indent=2))
        return
    console.show_facts([*named.items(), *speed.facts()])


def _show_runtimes(visual: str, device: str, precision: str, folder: Path, as_json: bool) -> None:
    from avloc import benchmark
    from avloc.devices import choose_device

    place = choose_device(device)
    speeds = benchmark.compare_runtimes(visual, place, folder, precision=precision)
    if as_json:
        console.data(json.dumps([asdict(speed) for speed in speeds], indent=2))
        return
    rows = [
        [s.name, f"{s.frames_per_second:.1f}", f"{s.ratio:.2f}", f"{s.largest_error:.1e}"]
        for s in speeds
    ]
    console.show_table(
        f"{visual} on {benchmark.machine(place)}",
        ["way", "frames/s", "ratio to as built", "largest error"],
        rows,
    )
