"""The front end of VGGish: 0.975 s of sound to one log-mel patch of 96 frames x 64 bands.

In NumPy's float64, as its authors computed it: independent of threads and batches.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
N_FRAMES, N_BANDS = 96, 64
_WINDOW, _HOP, _FFT = 400, 160, 512
PATCH_SAMPLES = (N_FRAMES - 1) * _HOP + _WINDOW  # 15,600
_LOW_HZ, _HIGH_HZ = 125.0, 7500.0
_LOG_OFFSET = 0.01

Samples = NDArray[np.float32]
Patches = NDArray[np.float32]


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
