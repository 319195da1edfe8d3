"""VGGish's front end once more, from its description and not from avloc's code."""

from __future__ import annotations

from functools import cache

import numpy as np


def mel(hertz: float) -> float:
    return float(1127.0 * np.log(1.0 + hertz / 700.0))


@cache
def triangles() -> np.ndarray:
    """(64, 257): band by band and bin by bin; the bin of 0 Hz is left at 0."""
    edges = [mel(125.0) + (mel(7500.0) - mel(125.0)) * k / 65 for k in range(66)]
    weights = np.zeros((64, 257))
    for band in range(64):
        low, middle, high = edges[band : band + 3]
        for k in range(1, 257):
            at = mel(k * 8000.0 / 256)
            up, down = (at - low) / (middle - low), (high - at) / (high - middle)
            weights[band, k] = max(0.0, min(up, down))
    return weights


def reference_log_mel(x: np.ndarray) -> np.ndarray:
    """The front end frame by frame, in float64: (frames, 64)."""
    hann = np.array([0.5 * (1 - np.cos(2 * np.pi * n / 400)) for n in range(400)])
    rows = []
    for start in range(0, len(x) - 399, 160):
        buffer = np.zeros(512)
        buffer[:400] = x[start : start + 400] * hann
        magnitude = np.abs(np.fft.fft(buffer))[:257]
        rows.append([np.log(np.sum(magnitude * weights) + 0.01) for weights in triangles()])
    return np.array(rows)


def resampled_as_in_2018(x: np.ndarray, rate: int) -> np.ndarray:
    """Resample as resampy 0.2's ``kaiser_best`` did: a sinc table of 512 steps a zero
    crossing, read with linear interpolation, its stride cut to a whole number of steps."""
    steps, n_table = 512, 512 * 64
    ratio = 16000 / rate
    places = np.linspace(0, 64, n_table + 1)
    taper = np.kaiser(2 * n_table + 1, 14.769656459379492)[n_table:]
    table = ratio * 0.9475937167399596 * np.sinc(0.9475937167399596 * places) * taper
    slope = np.append(np.diff(table), 0.0)
    stride = int(ratio * steps)
    times = np.arange(int(len(x) * ratio)) / ratio
    whole = times.astype(int)
    y = np.zeros(len(times))
    for side in (0, 1):  # samples before and at the time, then those after it
        distance = ratio * np.abs(side - (times - whole)) * steps
        offset = distance.astype(int)
        for i in range(n_table // stride + 1):
            source = whole - i if side == 0 else whole + 1 + i
            is_used = (i < (n_table + 1 - offset) // stride) & (source >= 0) & (source < len(x))
            at = np.minimum(offset + i * stride, n_table)
            weight = table[at] + (distance - offset) * slope[at]
            y += np.where(is_used, weight * x[np.clip(source, 0, len(x) - 1)], 0.0)
    return y
