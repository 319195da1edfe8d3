"""Which frame stands for which sample, in exact rationals."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avloc.errors import UsageError
from avloc.media.frame_clock import ShownFrame
from avloc.timeline import Grid


class Sample(NamedTuple):
    """The frame that stands for a sample, and whether the video really shows one then."""

    shown: ShownFrame
    is_real: bool


def samples_per_segment(grid: Grid, rate: int) -> int:
    """Return r, the samples of one segment; `UsageError` unless that is a whole number."""
    count = rate * grid.segment_seconds
    if count.denominator != 1 or count < 1:
        raise UsageError(
            f"{rate} samples a second give {float(count):g} samples a segment of "
            f"{float(grid.segment_seconds):g} s",
            "Choose a rate that gives a whole number.",
        )
    return int(count)


def sample_limit(k: int, rate: int) -> Fraction:
    """Return the time sample ``k`` looks back from: ``(2k+1) / (2r)`` seconds.

    Sample ``k`` is the last frame that begins strictly before it (docs: extraction, 1).
    """
    return Fraction(2 * k + 1, 2 * rate)


def samples_by_time(
    frames: Iterator[ShownFrame], rate: int, grid: Grid, notes: list[str]
) -> Iterator[Sample]:
    """Yield each sample of a grid; its first and last frame are held beyond the video's ends.

    Args:
        frames: in the order they are shown; at least one.
        rate: samples a second.
        grid: the segments.
        notes: takes ``late_video`` and ``padded``.
    """
    first = current = next(frames)
    if first.start >= sample_limit(0, rate):
        notes.append("late_video")
    per_segment = samples_per_segment(grid, rate)
    n_samples = per_segment * grid.n_segments
    k = 0
    for following in frames:
        while k < n_samples and sample_limit(k, rate) <= following.start:
            yield Sample(current, first.start < (k // per_segment + 1) * grid.segment_seconds)
            k += 1
        if k == n_samples:
            return
        current = following
    # A grid by duration misses the end by half a segment at most; more is padding.
    if grid.n_segments * grid.segment_seconds - current.end > grid.segment_seconds / 2:
        notes.append("padded")
    for rest in range(k, n_samples):
        segment_end = (rest // per_segment + 1) * grid.segment_seconds
        is_showing = sample_limit(rest, rate) <= current.end
        begins_here = current.start >= segment_end - grid.segment_seconds
        yield Sample(current, first.start < segment_end and (is_showing or begins_here))


def samples_by_count(frames: Iterator[ShownFrame], wanted: NDArray[np.int32]) -> Iterator[Sample]:
    """Yield the frames of these indices, which never decrease."""
    current = next(frames)
    for index in wanted:
        while current.index < index and (following := next(frames, None)) is not None:
            current = following
        yield Sample(current, True)


def ave2018_frame_index(n_frames: int, n_segments: int, per_segment: int) -> NDArray[np.int32]:
    """Return (T * r,): the frames AVE's own script of 2018 took, by count and not by time.

    ``i = int(t*n + j/r*n)`` with ``n = int(frames / T)``: it drifts from the sound on clips
    that are not exactly T seconds long. For comparison with published features only.

    Args:
        n_frames: decoded frames in the whole video.
        n_segments: T, 10 in AVE.
        per_segment: r, 16 in AVE.
    """
    n = n_frames // n_segments
    picked = [t * n + j * n // per_segment for t in range(n_segments) for j in range(per_segment)]
    return np.clip(np.array(picked, dtype=np.int32), 0, max(n_frames - 1, 0))
