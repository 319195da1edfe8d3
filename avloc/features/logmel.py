"""The front end of VGGish: one second of sound to one log-mel patch of 96 frames x 64 bands.

In NumPy's float64, as the network's authors computed it, and so independent of threads and
batches. The rules and their sources are in the project's extraction notes, section 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import librosa
import numpy as np
import torch
import torchaudio
from numpy.typing import NDArray

from avloc.features.precision import one_thread

RATE = 16_000
N_FRAMES, N_BANDS = 96, 64
_WINDOW, _HOP, _FFT = 400, 160, 512
_PATCH_SAMPLES = (N_FRAMES - 1) * _HOP + _WINDOW  # 15,600
_LOW_HZ, _HIGH_HZ = 125.0, 7500.0
_LOG_OFFSET = 0.01
_BLOCK_SECONDS = 60
_LARGEST_KERNEL = 1 << 24

Samples = NDArray[np.float32]
Patches = NDArray[np.float32]


def to_16khz(samples: Samples, rate: int) -> Samples:
    """Resample mono sound to 16 kHz with a Kaiser-windowed sinc like resampy 0.2's best.

    Long sound goes through in minutes with a second's margin (far more than the filter's
    reach), so that memory does not grow with the filter.

    Args:
        samples: (n,) in [-1, 1].
        rate: samples a second.
    """
    if rate == RATE or not len(samples):
        return samples
    if _kernel_size(rate) > _LARGEST_KERNEL:
        # A rate that shares no factor with 16,000 needs a filter bank of gigabytes.
        return librosa.resample(samples, orig_sr=rate, target_sr=RATE, res_type="soxr_vhq")
    n_wanted = -(-len(samples) * RATE // rate)
    blocks = []
    for second in range(0, -(-len(samples) // rate), _BLOCK_SECONDS):
        margin = min(second, 1)
        first, last = second - margin, second + _BLOCK_SECONDS + 1
        block = _resampled(samples[first * rate : last * rate], rate)
        blocks.append(block[margin * RATE : (margin + _BLOCK_SECONDS) * RATE])
    return np.concatenate(blocks)[:n_wanted]


def _kernel_size(rate: int) -> int:
    phases = Fraction(RATE, rate).numerator
    step = Fraction(RATE, rate).denominator
    return phases * (step + 2 * 64 * max(1, step // phases))


def _resampled(samples: Samples, rate: int) -> Samples:
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


def segment_patches(
    samples: Samples, n_segments: int, segment_seconds: Fraction = Fraction(1)
) -> Iterator[Patches]:
    """Yield each segment's (96, 64) patch; sound that ends early goes on in silence.

    Args:
        samples: (n,) at 16 kHz, from the origin.
        n_segments: T.
        segment_seconds: a segment's length; a patch covers its first 0.975 s.
    """
    for t in range(n_segments):
        begin, end = (int(k * segment_seconds * RATE) for k in (t, t + 1))
        own = samples[begin : min(end, begin + _PATCH_SAMPLES)]
        yield log_mel(np.pad(own, (0, _PATCH_SAMPLES - len(own))))


def log_mel(samples: Samples) -> Patches:
    """Return the log-mel frames of 16 kHz sound.

    Args:
        samples: (n,) with n >= 400.

    Returns:
        (frames, 64): ``ln(mel + 0.01)`` of 400 samples every 160, without centring.
    """
    return exact_log_mel(samples).astype(np.float32)


def exact_log_mel(samples: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return what `log_mel` does before it rounds to float32."""
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), _WINDOW)[::_HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)  # periodic
    magnitude = np.abs(np.fft.rfft(frames * hann, _FFT))
    return np.asarray(np.log(magnitude @ mel_matrix() + _LOG_OFFSET))


@cache
def mel_matrix() -> NDArray[np.float64]:
    """Return the (257, 64) filter bank: triangles linear in mel, not in Hz; peak 1.

    The usual "HTK" banks of audio libraries are linear in Hz and give other numbers.
    """
    bins = _mel(np.linspace(0.0, RATE / 2, _FFT // 2 + 1))
    edges = np.linspace(_mel(_LOW_HZ), _mel(_HIGH_HZ), N_BANDS + 2)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - low) / (middle - low)
    falling = (high - bins[:, None]) / (high - middle)
    matrix = np.maximum(0.0, np.minimum(rising, falling))
    matrix[0] = 0.0  # the constant part is no sound
    matrix.setflags(write=False)
    return matrix


def _mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(np.asarray(hertz) / 700.0))
