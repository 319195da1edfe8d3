"""The stage ``bench``: how fast this machine extracts features or trains, part by part."""

from __future__ import annotations

import multiprocessing
import platform
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch
from threadpoolctl import threadpool_limits

from avloc.artifacts import FeatureStore
from avloc.decoding.clip_decoding import DecodingTask, Segment, decode_clip
from avloc.decoding.front_ends import find_front_end
from avloc.devices import choose_device, count_cores
from avloc.errors import MediaError, UsageError
from avloc.features import Encoders, WeightsPolicy, extract, extract_video, load_encoders
from avloc.features.precision import arithmetic
from avloc.progress import Progress, silent
from avloc.spec import DEFAULT_AUDIO, DEFAULT_VISUAL
from avloc.stages.bench_clips import make_clips
from avloc.stages.bench_training import Speed, measure_epoch, measure_seconds
from avloc.timeline import Grid

_NETWORK_SECONDS = 6.0  # how long the network alone is measured each time


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
    scratch: Path | str | None = None,
    progress: Progress = silent,
) -> Speed:
    """Measure how fast this machine is, and what limits it.

    It measures extraction end to end and in parts, or an epoch of ``training``.

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
        scratch: A folder for clips and features; the clips are kept for the next run.
        progress: called with (rounds done, rounds, what).

    Returns:
        What was measured, by name; see `measure_extraction` and `measure_epoch`.

    Raises:
        UsageError: the size or the device is wrong. MediaError: a video cannot be decoded.
        UnknownNameError: no such encoder. WeightsError: its weights cannot be had.
    """
    if training is not None:
        training_device = choose_device(device)
        return _machine(training_device) | measure_epoch(training_device, training)
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
    if scratch is not None:
        Path(scratch).mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="avloc-bench-", dir=scratch) as temporary:
        videos = [(Path(path).stem, Path(path)) for path in paths]
        return _machine(encoders.device) | measure_extraction(
            videos or make_clips(Path(scratch or temporary, "clips"), clips, width, height),
            encoders,
            Path(temporary),
            rounds=rounds,
            workers=workers,
            batch_size=batch_size,
            progress=progress,
        )


def measure_extraction(
    videos: Sequence[tuple[str, Path]],
    encoders: Encoders,
    folder: Path,
    *,
    rounds: int = 2,
    workers: int | None = None,
    batch_size: int | None = None,
    progress: Progress = silent,
) -> Speed:
    """Measure the extraction of videos into stores in ``folder``, end to end and in parts.

    ``ratio`` compares each round with the visual network alone on full batches, measured just
    before and after it, because the speed of a machine changes. Seconds are per clip, for audio
    per ten seconds of sound. ``decode`` is decoding, resizing and sound's front end on one core.
    """
    progress(0, rounds, "parts")
    n_frames, decode = _decode(videos[0], encoders)
    items = torch.zeros(encoders.audio.group, *find_front_end(encoders.spec.front_end).item_shape)
    encode = partial(measure_seconds, encoders.device, encoders.audio.encode, items)
    audio = median(encode() for _ in range(10))
    write = _write(videos[0][1], encoders, folder / "write")
    peaks, worker_peaks = [0.0], [0.0]

    def watch_memory(*_: object) -> None:
        peaks.append(_peak_mib("self"))
        worker_peaks.extend(_peak_mib(p.pid) for p in multiprocessing.active_children())

    network, runs = [_network_rate(encoders)], []
    for k in range(rounds):
        progress(k, rounds, "end to end")
        store, began = _store(folder / f"run{k}", encoders), time.perf_counter()
        done = extract(
            videos, store, encoders, workers=workers, batch_size=batch_size, progress=watch_memory
        )
        runs.append(n_frames * len(videos) / (time.perf_counter() - began))
        if done.failures:
            raise MediaError(done.failures[0].reason, "Give videos that can be decoded.")
        network.append(_network_rate(encoders))
    return {
        "encoders": f"{encoders.visual.name} and {encoders.audio.name}, {encoders.spec.precision}",
        "n_clips": len(videos),
        "n_frames": n_frames,
        "clips_per_second": median(runs) / n_frames,
        "frames_per_second": median(runs),
        "pure_frames_per_second": median(network),
        "ratio": [2 * run / sum(pair) for run, pair in zip(runs, pairwise(network), strict=True)],
        "decode_core_seconds": decode,
        "visual_seconds": n_frames / median(network),
        "audio_seconds": audio * 10 / len(items),
        "write_seconds": write,
        "peak_mib": max(peaks),
        "peak_worker_mib": max(worker_peaks),
    }


def _decode(video: tuple[str, Path], encoders: Encoders) -> tuple[int, float]:
    """Return the distinct frames of a video, and the core seconds to decode it."""
    seconds = []
    # As a decoding process: NumPy's threads, a core each, would wait for work and be counted.
    with threadpool_limits(1):
        for _ in range(3):
            began, n_frames = time.process_time(), 0
            for message in decode_clip(DecodingTask(*video, encoders.spec)):
                n_frames += len(message.images) if isinstance(message, Segment) else 0
            seconds.append(time.process_time() - began)
    if not n_frames:
        raise MediaError(f"{video[1]} has no picture", "Give videos with a picture.")
    return n_frames, median(seconds)


def _write(path: Path, encoders: Encoders, folder: Path) -> float:
    store, features = _store(folder, encoders), extract_video(path, encoders, grid=Grid(10))
    began = time.perf_counter()
    for k in range(10):
        store.write(replace(features, video_id=f"{k}"))
    return (time.perf_counter() - began) / 10


def _store(folder: Path, encoders: Encoders) -> FeatureStore:
    return FeatureStore.create(folder, encoders.spec)


def _network_rate(encoders: Encoders) -> float:
    """Return the frames per second of the visual network on full batches."""
    encoder = encoders.visual
    frames = torch.zeros(encoder.group, 3, 224, 224, device=encoder.device)
    frames = frames.contiguous(memory_format=torch.channels_last)
    with arithmetic(encoder.device, encoder.precision):
        encoder.network(frames)  # the first call takes longer
        took: list[float] = []
        while sum(took) < _NETWORK_SECONDS:
            took.append(measure_seconds(encoder.device, encoder.network, frames))
    return encoder.group * len(took) / sum(took)


def _machine(device: torch.device) -> Speed:
    cpuinfo = Path("/proc/cpuinfo")
    name = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else None
    parts = [f"{count_cores()} cores of {name[1] if name else platform.machine()}"]
    if device.type == "cuda":
        parts.append(torch.cuda.get_device_name(device))
    parts.append(f"Python {platform.python_version()}, torch {torch.__version__}")
    return {"machine": ", ".join(parts)}


def _peak_mib(process: int | str | None) -> float:
    """Return the peak memory of a running process; 0 where the system does not report it.

    ``resource`` would count what a child had before it became a program of its own.
    """
    try:
        status = Path("/proc", str(process), "status").read_text()
    except OSError:
        return 0.0
    peak = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(peak[1]) / 2**10 if peak else 0.0
