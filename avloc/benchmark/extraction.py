"""Extraction measured end to end and in its parts, beside the bare network in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avloc.artifacts import FeatureStore
from avloc.benchmark.machine import PeakMemory, wait_for
from avloc.errors import MediaError
from avloc.features import Encoders, VisualEncoder, extract, extract_video
from avloc.features.decoding import DecodingTask, PictureSegment, decode_clip
from avloc.features.logmel import N_BANDS, N_FRAMES
from avloc.features.precision import arithmetic, one_thread
from avloc.progress import Progress, silent
from avloc.timeline import Grid

Videos = Sequence[tuple[str, Path]]


@dataclass(frozen=True)
class ExtractionSpeed:
    """What was measured; seconds are a clip's unless said otherwise.

    Attributes:
        n_clips: how many were extracted end to end, and
        n_frames: how many distinct frames a clip has.
        clips_per_second: end to end, processes' start and the last write counted.
        frames_per_second: the same in frames.
        pure_frames_per_second: the bare trunk on full batches that are ready, before and
            after each end-to-end run.
        ratio: of the two, for each run.
        decode_core_seconds: decoding, resizing and log-mel, on one core.
        visual_seconds: frames that are ready to maps.
        audio_seconds: log-mel patches to vectors.
        write_seconds: features to a file that is safe on disk.
        busy: share of the end-to-end time in which the visual encoder was at work.
        peak_mib: memory of this process, and
        peak_worker_mib: of its largest decoding process.
    """

    n_clips: int
    n_frames: float
    clips_per_second: float
    frames_per_second: float
    pure_frames_per_second: float
    ratio: list[float]
    decode_core_seconds: float
    visual_seconds: float
    audio_seconds: float
    write_seconds: float
    busy: float
    peak_mib: float
    peak_worker_mib: float

    def facts(self) -> list[tuple[str, str]]:
        """Return names and values in words."""
        ratios = ", ".join(f"{ratio:.2f}" for ratio in self.ratio)
        return [
            ("end to end", f"{self.clips_per_second:.3g} clips/s of {self.n_frames:.0f} frames"),
            ("", f"{self.frames_per_second:.1f} frames/s"),
            ("the bare trunk", f"{self.pure_frames_per_second:.1f} frames/s"),
            ("ratio", f"{ratios} in {len(self.ratio)} rounds of {self.n_clips} clips"),
            ("decoding", f"{self.decode_core_seconds:.3f} s a clip on one core"),
            ("device", f"{self.visual_seconds:.3f} s a clip for the picture"),
            ("", f"{self.audio_seconds:.3f} s for the sound"),
            ("writing", f"{self.write_seconds:.4f} s a clip"),
            ("device busy", f"{self.busy:.0%} of the time, with the picture"),
            ("memory", f"{self.peak_mib:.0f} MiB, {self.peak_worker_mib:.0f} a decoding process"),
        ]


def measure_extraction(
    videos: Videos,
    encoders: Encoders,
    folder: Path,
    *,
    workers: int | None = None,
    batch_size: int | None = None,
    rounds: int = 2,
    pure_seconds: float = 6.0,
    progress: Progress | None = None,
) -> ExtractionSpeed:
    """Measure the extraction of some videos.

    Args:
        videos: (video id, file) pairs, alike in length.
        encoders: what to extract with.
        folder: where stores are put.
        workers: as in `avloc.features.extract`, and
        batch_size: as there.
        rounds: how often; ratios are between neighbours in time, for machines whose speed
            changes.
        pure_seconds: how long the bare trunk is run each time.
        progress: called with (steps done, steps, what).
    """
    told, n_steps = progress or silent, 2 * rounds + 2
    told(0, n_steps, "parts")
    n_frames, decode = _decoding(videos[0], encoders)
    audio, write = _hearing(encoders), _writing(videos[0], encoders, folder / "write")
    memory = PeakMemory()
    told(1, n_steps, "the bare network")
    pure, ends, busy = [_pure(encoders.visual, pure_seconds)], [], []
    for k in range(rounds):
        told(2 * k + 2, n_steps, "end to end")
        run = folder / f"run{k}"
        seconds, share = _end_to_end(videos, encoders, run, workers, batch_size, memory)
        ends.append(len(videos) / seconds)
        busy.append(share)
        told(2 * k + 3, n_steps, "the bare network")
        pure.append(_pure(encoders.visual, pure_seconds))
    return ExtractionSpeed(
        n_clips=len(videos),
        n_frames=n_frames,
        clips_per_second=median(ends),
        frames_per_second=median(ends) * n_frames,
        pure_frames_per_second=median(pure),
        ratio=[
            2 * n_frames * end / sum(bare) for end, bare in zip(ends, pairwise(pure), strict=True)
        ],
        decode_core_seconds=decode,
        visual_seconds=n_frames / median(pure),
        audio_seconds=audio,
        write_seconds=write,
        busy=median(busy),
        peak_mib=memory.own,
        peak_worker_mib=memory.child,
    )


def _pure(encoder: VisualEncoder, seconds: float) -> float:
    """Return the frames a second of the trunk on a full batch that lies ready."""
    frames = torch.zeros(encoder.group, 3, 224, 224, device=encoder.device)
    frames = frames.contiguous(memory_format=torch.channels_last)
    with arithmetic(encoder.device, encoder.precision):
        encoder.trunk(frames)
        wait_for(encoder.device)
        began, n_frames = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            encoder.trunk(frames)
            wait_for(encoder.device)
            n_frames += len(frames)
        return n_frames / (time.perf_counter() - began)


def _decoding(video: tuple[str, Path], encoders: Encoders) -> tuple[float, float]:
    """Return a clip's distinct frames, and the core seconds that it takes to decode."""
    task = DecodingTask(*video, encoders.spec)
    seconds = []
    with one_thread():
        for _ in range(3):
            began, n_frames = time.process_time(), 0
            for message in decode_clip(task):
                n_frames += len(message.images) if isinstance(message, PictureSegment) else 0
            seconds.append(time.process_time() - began)
    if not n_frames:
        raise MediaError(f"{video[1]} has no picture to measure with", "Give videos.")
    return float(n_frames), median(seconds)


def _hearing(encoders: Encoders) -> float:
    """Return the seconds that ten seconds of sound take, at the pace of full groups."""
    encoder = encoders.audio
    patches = np.zeros((encoder.group, N_FRAMES, N_BANDS), np.float32)
    encoder.encode(patches)
    began = time.perf_counter()
    for _ in range(10):
        encoder.encode(patches).cpu()
    return (time.perf_counter() - began) / encoder.group


def _writing(video: tuple[str, Path], encoders: Encoders, folder: Path) -> float:
    store = _store(folder, encoders)
    features = extract_video(video[1], encoders, grid=Grid(10))
    began = time.perf_counter()
    for k in range(10):
        store.write(replace(features, video_id=f"{k}"))
    return (time.perf_counter() - began) / 10


def _end_to_end(
    videos: Videos,
    encoders: Encoders,
    folder: Path,
    workers: int | None,
    batch_size: int | None,
    memory: PeakMemory,
) -> tuple[float, float]:
    """Return the seconds of a whole run, and the share in which the visual encoder worked."""
    timed = _Timed(**{f.name: getattr(encoders.visual, f.name) for f in fields(encoders.visual)})
    store = _store(folder, encoders)
    began = time.perf_counter()
    report = extract(
        videos,
        store,
        replace(encoders, visual=timed),
        workers=workers,
        batch_size=batch_size,
        progress=memory.look,
    )
    seconds = time.perf_counter() - began
    if report.failures:
        raise MediaError(report.failures[0].reason, "Only sound videos can be measured with.")
    return seconds, timed.seconds() / seconds


def _store(folder: Path, encoders: Encoders) -> FeatureStore:
    return FeatureStore.create(folder, encoders.spec)


@dataclass(frozen=True)
class _Timed(VisualEncoder):
    """A visual encoder that notes when it works: by the device's own clock on CUDA."""

    spent: list[Callable[[], float]] = field(default_factory=list)

    def encode(self, frames: NDArray[np.uint8]) -> Tensor:
        """Encode, and note how long that takes."""
        if self.device.type == "cuda":
            begin = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            end = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            begin.record()
            maps = super().encode(frames)
            end.record()
            self.spent.append(lambda: begin.elapsed_time(end) / 1000)
            return maps
        began = time.perf_counter()
        maps = super().encode(frames)
        took = time.perf_counter() - began
        self.spent.append(lambda: took)
        return maps

    def seconds(self) -> float:
        """Return the seconds of work since the beginning."""
        wait_for(self.device)
        return sum(one() for one in self.spent)
