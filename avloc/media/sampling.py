"""Which frame stands for which sample, in exact rationals."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from avloc.errors import UsageError
from avloc.timeline import Grid


def sample_limit(k: int, rate: int | Fraction) -> Fraction:
    """Return the time sample ``k`` looks back from: ``(2k+1) / (2r)`` seconds.

    Sample ``k`` is the last frame that begins strictly before it (docs: extraction, 1).
    """
    return Fraction(2 * k + 1) / (2 * rate)


def frame_index_at(
    times: Sequence[Fraction], n_samples: int, rate: int | Fraction
) -> NDArray[np.int32]:
    """Return (n_samples,): the source frame of each sample, in decode order.

    Sample k is the last frame with ``time < (2k+1)/(2r)``; before the first frame it is the
    first frame, after the last the last.

    Args:
        times: each frame's ``pts - origin`` in seconds, in decode order.
        n_samples: how many samples.
        rate: samples a second.

    Raises:
        UsageError: there are no frames, or the rate is not positive.
    """
    if not times or rate <= 0:
        raise UsageError(f"cannot sample {len(times)} frames at {rate} a second")
    # "The last frame before the limit" is the last whose time, or any later one's, is before it.
    reach = list(accumulate(reversed(times), min))[::-1]
    found = [bisect_left(reach, sample_limit(k, rate)) - 1 for k in range(n_samples)]
    return np.maximum(np.array(found, dtype=np.int32), 0)


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


def samples_per_segment(grid: Grid, rate: int) -> int:
    """Return r, the samples of one segment.

    Raises:
        UsageError: the rate gives no whole number of samples a segment.
    """
    count = rate * grid.segment_seconds
    if count.denominator != 1 or count < 1:
        raise UsageError(
            f"{rate} samples a second give {float(count):g} samples a segment of "
            f"{float(grid.segment_seconds):g} s",
            "Choose a rate that gives a whole number.",
        )
    return int(count)
