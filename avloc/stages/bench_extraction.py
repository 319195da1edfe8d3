"""Extraction for ``avloc bench``: end to end, and its parts."""

from __future__ import annotations

import multiprocessing
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from avloc.artifacts import FeatureStore
from avloc.decoding.clip_decoding import DecodingTask, Segment, decode_clip
from avloc.decoding.front_ends import find_front_end
from avloc.errors import MediaError
from avloc.features import Encoders, extract, extract_video
from avloc.features.precision import arithmetic
from avloc.features.segment_sounds import SegmentSounds
from avloc.progress import Progress, silent
from avloc.stages.bench_training import Speed, measure_seconds
from avloc.timeline import Grid

_NETWORK_SECONDS = 3.0  # how long the network alone is measured each time
_SOUND_RATE, _SOUND_SECONDS = 44_100, 10


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
    per ten seconds of sound. ``decode`` is decoding and resizing on one core, ``sound`` is
    resampling and the front end on another.
    """
    progress(0, rounds, "parts")
    n_frames, decode = measure_decoding(videos[0], encoders)
    items = torch.zeros(encoders.audio.group, *find_front_end(encoders.spec.front_end).item_shape)
    encode = partial(measure_seconds, encoders.device, encoders.audio.encode, items)
    audio = median(encode() for _ in range(10))
    write = _write(videos[0][1], encoders, folder / "write")
    peaks, worker_peaks = [0.0], [0.0]

    def watch_memory(*_: object) -> None:
        peaks.append(_peak_mib("self"))
        worker_peaks.extend(_peak_mib(p.pid) for p in multiprocessing.active_children())

    network, runs = [network_rate(encoders)], []
    for k in range(rounds):
        progress(k, rounds, "end to end")
        store, began = _store(folder / f"run{k}", encoders), time.perf_counter()
        done = extract(
            videos, store, encoders, workers=workers, batch_size=batch_size, progress=watch_memory
        )
        runs.append(n_frames * len(videos) / (time.perf_counter() - began))
        if done.failures:
            raise MediaError(done.failures[0].reason, "Give videos that can be decoded.")
        network.append(network_rate(encoders))
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
        "sound_seconds": _sound(encoders),
        "audio_seconds": audio * 10 / len(items),
        "write_seconds": write,
        "peak_mib": max(peaks),
        "peak_worker_mib": max(worker_peaks),
    }


def measure_decoding(video: tuple[str, Path], encoders: Encoders) -> tuple[int, float]:
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


def _sound(encoders: Encoders) -> float:
    """Return the seconds to make an audio encoder's items of ten seconds of sound."""
    noise = np.random.default_rng(0).normal(0, 0.1, _SOUND_RATE).astype(np.float32)
    front_end, took = find_front_end(encoders.spec.front_end), []
    for _ in range(5):
        sounds, began = (
            SegmentSounds(front_end, _SOUND_RATE, Grid(_SOUND_SECONDS)),
            time.perf_counter(),
        )
        for _ in range(_SOUND_SECONDS):
            sounds.add(noise)
        sounds.finish()
        took.append(time.perf_counter() - began)
    return median(took)


def _write(path: Path, encoders: Encoders, folder: Path) -> float:
    store, features = _store(folder, encoders), extract_video(path, encoders, grid=Grid(10))
    began = time.perf_counter()
    for k in range(10):
        store.write(replace(features, video_id=f"{k}"))
    return (time.perf_counter() - began) / 10


def _store(folder: Path, encoders: Encoders) -> FeatureStore:
    return FeatureStore.create(folder, encoders.spec)


def network_rate(encoders: Encoders) -> float:
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
