"""The front end of VGGish: a second of sound to one log-mel patch of 96 frames x 64 bands.

In NumPy's float64, as its authors computed it: independent of threads and batches.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.features.precision import one_thread
from avloc.timeline import Grid

RATE = 16_000
N_FRAMES, N_BANDS = 96, 64
_WINDOW, _HOP, _FFT = 400, 160, 512
PATCH_SAMPLES = (N_FRAMES - 1) * _HOP + _WINDOW  # 15,600
_LOW_HZ, _HIGH_HZ = 125.0, 7500.0
_LOG_OFFSET = 0.01
_BLOCK_SECONDS = 60
_LARGEST_KERNEL = 1 << 24

Samples = NDArray[np.float32]
Patches = NDArray[np.float32]


def stream_to_16khz(pieces: Iterable[Samples], rate: int) -> Iterator[Samples]:
    """Resample mono sound, (n,) a piece, with a Kaiser-windowed sinc like resampy 0.2's best.

    It goes through in minutes with a margin of a second, far more than the filter's reach, so
    memory grows neither with the sound nor with the filter.
    """
    if rate == RATE:
        yield from pieces
        return
    # A rate that shares no factor with 16,000 needs a filter bank of gigabytes.
    resampled = _by_soxr if _kernel_size(rate) > _LARGEST_KERNEL else _by_torchaudio
    for block, margin in _overlapping_blocks(pieces, rate):
        yield resampled(block, rate)[margin * RATE : (margin + _BLOCK_SECONDS) * RATE]


def _overlapping_blocks(pieces: Iterable[Samples], rate: int) -> Iterator[tuple[Samples, int]]:
    """Yield blocks with a second more at either end, and how many seconds that is in front."""
    margin, waiting, n_waiting = 0, [], 0
    for piece in pieces:
        waiting.append(piece)
        n_waiting += len(piece)
        while n_waiting >= (margin + _BLOCK_SECONDS + 1) * rate:
            joined = np.concatenate(waiting)
            yield joined[: (margin + _BLOCK_SECONDS + 1) * rate], margin
            waiting = [joined[(margin + _BLOCK_SECONDS - 1) * rate :]]
            n_waiting, margin = len(waiting[0]), 1
    joined = np.concatenate([np.zeros(0, np.float32), *waiting])
    while len(joined) > margin * rate:
        yield joined[: (margin + _BLOCK_SECONDS + 1) * rate], margin
        joined, margin = joined[(margin + _BLOCK_SECONDS - 1) * rate :], 1


def _kernel_size(rate: int) -> int:
    phases = Fraction(RATE, rate).numerator
    step = Fraction(RATE, rate).denominator
    return phases * (step + 2 * 64 * max(1, step // phases))


def _by_torchaudio(samples: Samples, rate: int) -> Samples:
    import torchaudio  # which sound of 16 kHz does not need

    with one_thread(), torch.inference_mode():
        resampled = torchaudio.functional.resample(
            torch.from_numpy(samples),
            rate,
            RATE,
            lowpass_filter_width=64,
            rolloff=0.9475937167399596,
            resampling_method="sinc_interp_kaiser",
            beta=14.769656459379492,
        )
    return np.asarray(resampled.numpy(), dtype=np.float32)


def _by_soxr(samples: Samples, rate: int) -> Samples:
    import librosa  # for rare rates only

    return librosa.resample(samples, orig_sr=rate, target_sr=RATE, res_type="soxr_vhq")


def patch_starts(grid: Grid, segment: int) -> list[int]:
    """Return the samples at which a segment's patches start; the first may be negative.

    A segment is cut into ceil(seconds) equal parts with a patch of 0.975 s each. The patch
    starts with its part, or is centred on a part that is shorter.
    """
    n_parts = math.ceil(grid.segment_seconds)
    part = grid.segment_seconds / n_parts * RATE
    offset = min(Fraction(0), (part - PATCH_SAMPLES) / 2)
    return [math.floor((segment * n_parts + k) * part + offset) for k in range(n_parts)]


def segment_patches(pieces: Iterable[Samples], grid: Grid) -> Iterator[Patches]:
    """Yield each segment's (n, 96, 64) patches of sound at 16 kHz, silence before and after it."""
    more = iter(pieces)
    first = patch_starts(grid, 0)[0]  # where the samples in memory begin
    sound = np.zeros(-first, np.float32)
    for t in range(grid.n_segments):
        patches = []
        for start in patch_starts(grid, t):
            while first + len(sound) < start + PATCH_SAMPLES and (
                (piece := next(more, None)) is not None
            ):
                n_past = min(start - first, len(sound))
                sound, first = np.concatenate([sound[n_past:], piece]), first + n_past
            window = sound[max(start - first, 0) :][:PATCH_SAMPLES]
            patches.append(log_mel(np.pad(window, (0, PATCH_SAMPLES - len(window)))))
        yield np.stack(patches)


def log_mel(samples: Samples) -> Patches:
    """Return (frames, 64) of (n,) sound at 16 kHz: ``ln(mel + 0.01)`` of 400 samples every 160."""
    return exact_log_mel(samples).astype(np.float32)


def exact_log_mel(samples: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return what `log_mel` does before it rounds to float32."""
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), _WINDOW)[::_HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)  # periodic
    magnitude = np.abs(np.fft.rfft(frames * hann, _FFT))
    return np.asarray(np.log(magnitude @ mel_matrix() + _LOG_OFFSET))


@cache
def mel_matrix() -> NDArray[np.float64]:
    """Return the (257, 64) filter bank: triangles linear in mel, not in Hz as in "HTK"; peak 1."""
    bins = _mel(np.linspace(0.0, RATE / 2, _FFT // 2 + 1))
    edges = np.linspace(_mel(_LOW_HZ), _mel(_HIGH_HZ), N_BANDS + 2)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - low) / (middle - low)
    falling = (high - bins[:, None]) / (high - middle)
    matrix = np.maximum(0.0, np.minimum(rising, falling))
    matrix[0] = 0.0  # the constant part is not sound
    matrix.setflags(write=False)
    return matrix


def _mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(np.asarray(hertz) / 700.0))
