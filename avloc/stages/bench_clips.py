"""Clips for ``avloc bench``: moving texture and a noisy tone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avloc.media import write_clip

_N_DISTINCT = 8  # the others are links to them
_SAMPLE_RATE = 44_100


def make_clips(
    folder: Path, n_clips: int, width: int, height: int, *, seconds: int = 10, rate: int = 25
) -> list[tuple[str, Path]]:
    """Make clips of moving texture and a noisy tone; return (video id, file) pairs."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"clip{k:05d}.mp4" for k in range(n_clips)]
    times = np.arange(seconds * _SAMPLE_RATE) / _SAMPLE_RATE
    for k, path in enumerate(paths):
        if not path.exists() and k < _N_DISTINCT:
            noise = np.random.default_rng(k).normal(0, 0.05, len(times))
            sound = 0.3 * np.sin(2 * np.pi * (300 + 40 * k) * times) + noise
            pictures = _pictures(k, width, height, seconds * rate)
            write_clip(path, pictures, rate, sound.astype(np.float32), _SAMPLE_RATE)
        elif not path.exists():
            os.link(paths[k % _N_DISTINCT], path)
    return [(path.stem, path) for path in paths]


def _pictures(seed: int, width: int, height: int, n_frames: int) -> Iterator[NDArray[np.uint8]]:
    """Move a window over a larger picture, so that every block moves as with a camera."""
    draw = np.random.default_rng(seed)
    size = (width * 3 // 2, height * 3 // 2)
    coarse = draw.integers(0, 256, (size[1] // 24, size[0] // 24, 3), dtype=np.uint8)
    scene = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC), np.int16)
    scene = (scene + draw.normal(0, 12, scene.shape)).clip(0, 255).astype(np.uint8)
    for k in range(n_frames):
        x = round(width / 4 * (1 + np.sin(k / 23 + seed)))
        y = round(height / 4 * (1 + np.cos(k / 31 + seed)))
        yield np.ascontiguousarray(scene[y : y + height, x : x + width])
