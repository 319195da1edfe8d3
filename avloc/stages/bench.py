"""The stage ``bench``: how fast this machine extracts features or trains, part by part."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from avloc.devices import choose_device, count_cores
from avloc.errors import UsageError
from avloc.features import WeightsPolicy, load_encoders
from avloc.progress import Progress, silent
from avloc.spec import DEFAULT_AUDIO, DEFAULT_VISUAL
from avloc.stages.bench_clips import make_clips
from avloc.stages.bench_comparison import Comparison, compare
from avloc.stages.bench_extraction import measure_extraction
from avloc.stages.bench_training import Speed, measure_epoch


def bench(
    paths: Sequence[Path | str] = (),
    *,
    visual: str = DEFAULT_VISUAL,
    audio: str = DEFAULT_AUDIO,
    clips: int = 8,
    size: str = "640x360",
    rounds: int = 2,
    workers: int | None = None,
    batch_size: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    runtime: str = "auto",
    weights: Path | None = None,
    offline: bool = False,
    training: int | None = None,
    against: Sequence[str] = (),
    scratch: Path | str | None = None,
    progress: Progress = silent,
) -> Speed | Comparison:
    """Measure how fast this machine is, and what limits it.

    It measures extraction end to end and in parts, or an epoch of ``training``. With ``against``
    it compares configurations, which take turns in every round.

    Args:
        paths: Videos of similar length; without any, clips are made.
        visual: The visual encoder.
        audio: The audio encoder.
        clips: How many clips to make.
        size: The size of the clips to make.
        rounds: How many times to measure.
        workers: Decoding processes. Default: by the number of cores.
        batch_size: Frames per batch. Default: auto.
        device: Where the networks run.
        precision: The encoders' arithmetic; auto: fp16 on CUDA, else fp32. bf16 is faster on
            processors that have it, and less exact.
        runtime: What runs the encoders; auto: the fastest exact one that is installed.
        weights: A folder with weight files, searched before any download.
        offline: Never use the network.
        training: Measure an epoch of CMAN on so many rows; AVE has 3339.
        against: Options that are different in another configuration, as KEY=VALUE[,KEY=VALUE],
            for example runtime=eager. checkout=FOLDER measures another checkout of avloc.
            Repeat it for several.
        scratch: A folder for clips and features; the clips are kept for the next run.
        progress: called with (rounds done, rounds, what).

    Returns:
        What was measured, by name; see `measure_extraction` and `measure_epoch`. With
        ``against`` a comparison.

    Raises:
        UsageError: the size or the device is wrong. MediaError: a video cannot be decoded.
        UnknownNameError: no such encoder. WeightsError: its weights cannot be had.
    """
    if against:
        given = {
            "visual": visual,
            "audio": audio,
            "clips": clips,
            "size": size,
            "workers": workers,
            "batch-size": batch_size,
            "device": device,
            "precision": precision,
            "runtime": runtime,
            "weights": weights and Path(weights).resolve(),
            "training": training,
        }
        return _compared(paths, given, offline, against, rounds, scratch, progress)
    if training is not None:
        training_device = choose_device(device)
        return describe_machine(training_device) | measure_epoch(training_device, training)
    if not re.fullmatch(r"\d{2,4}x\d{2,4}", size):
        raise UsageError(f"{size!r} is not a picture size", "Write it like this: 640x360.")
    width, height = map(int, size.split("x"))
    encoders = load_encoders(
        visual,
        audio,
        device=device,
        precision=precision,
        runtime=runtime,
        weights=WeightsPolicy(weights, offline),
    )
    with _folder_in(scratch) as temporary:
        videos = [(Path(path).stem, Path(path)) for path in paths]
        return describe_machine(encoders.device) | measure_extraction(
            videos or make_clips(Path(scratch or temporary, "clips"), clips, width, height),
            encoders,
            Path(temporary),
            rounds=rounds,
            workers=workers,
            batch_size=batch_size,
            progress=progress,
        )


def _compared(
    paths: Sequence[Path | str],
    given: Mapping[str, object],
    offline: bool,
    against: Sequence[str],
    rounds: int,
    scratch: Path | str | None,
    progress: Progress,
) -> Comparison:
    """Compare configurations on the same clips."""
    options = {name: str(value) for name, value in given.items() if value is not None}
    options |= {"offline": ""} if offline else {}
    with _folder_in(scratch) as temporary:
        options["scratch"] = str(Path(scratch or temporary).resolve())
        files = [str(Path(path).resolve()) for path in paths]
        return compare(options, files, against, rounds, progress)


def _folder_in(scratch: Path | str | None) -> TemporaryDirectory[str]:
    if scratch is not None:
        Path(scratch).mkdir(parents=True, exist_ok=True)
    return TemporaryDirectory(prefix="avloc-bench-", dir=scratch)


def describe_machine(device: torch.device) -> Speed:
    """Return the machine in words."""
    cpuinfo = Path("/proc/cpuinfo")
    name = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else None
    parts = [f"{count_cores()} cores of {name[1] if name else platform.machine()}"]
    if device.type == "cuda":
        parts.append(torch.cuda.get_device_name(device))
    parts.append(f"Python {platform.python_version()}, torch {torch.__version__}")
    return {"machine": ", ".join(parts)}
