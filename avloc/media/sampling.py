"""Which frame stands for which sample, in exact rationals."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, pairwise
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
    """Return ``(2k+1) / (2r)`` s: sample ``k`` is the last frame that begins before it."""
    return Fraction(2 * k + 1, 2 * rate)


def samples_by_time(
    frames: Iterator[ShownFrame], rate: int, grid: Grid, notes: list[str]
) -> Iterator[Sample]:
    """Yield each sample of a grid; ``notes`` takes ``late_video`` and ``padded``."""
    per_segment = samples_per_segment(grid, rate)
    n_samples = per_segment * grid.n_segments
    begin, k = Fraction(0), 0
    for shown, following in pairwise(chain(frames, (None,))):
        assert shown is not None
        if shown.index == 0:
            begin = shown.start
            notes += ["late_video"] * (begin >= sample_limit(0, rate))
        if following is None:
            # A grid by duration misses the end by half a segment at most; more is padding.
            missing = grid.n_segments * grid.segment_seconds - shown.end
            notes += ["padded"] * (missing > grid.segment_seconds / 2)
        while k < n_samples and (following is None or sample_limit(k, rate) <= following.start):
            segment_end = (k // per_segment + 1) * grid.segment_seconds
            is_held = (
                following is None
                and sample_limit(k, rate) > shown.end
                and shown.start < segment_end - grid.segment_seconds
            )
            yield Sample(shown, begin < segment_end and not is_held)
            k += 1
        if k == n_samples:
            return


def samples_by_count(frames: Iterator[ShownFrame], wanted: NDArray[np.int32]) -> Iterator[Sample]:
    """Yield the frames of these indices, which never decrease; the last beyond the end."""
    current = next(frames, None)
    for index in wanted:
        while current is not None and current.index < index:
            following = next(frames, None)
            if following is None:
                break
            current = following
        if current is not None:
            yield Sample(current, True)


def ave2018_frame_index(n_frames: int, n_segments: int, per_segment: int) -> NDArray[np.int32]:
    """Return (T * r,): the frames AVE's own script of 2018 took, by count and not by time.

    ``i = int(t*n + j/r*n)`` with ``n = int(frames / T)`` drifts from the sound on clips that are
    not exactly T seconds long. For comparison with published features only.
    """
    n = n_frames // n_segments
    picked = [t * n + j * n // per_segment for t in range(n_segments) for j in range(per_segment)]
    return np.clip(np.array(picked, dtype=np.int32), 0, max(n_frames - 1, 0))
