"""Clips to measure with: a textured picture that moves, and a tone with noise."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avloc.errors import UsageError
from avloc.media import write_clip

_DISTINCT = 8  # clips made; more are links to them
_RATE = 44_100


@dataclass(frozen=True)
class ClipShape:
    """What a clip is like.

    Attributes:
        width: pixels.
        height: pixels.
        fps: frames a second.
        seconds: its length.
    """

    width: int = 640
    height: int = 360
    fps: int = 25
    seconds: float = 10.0

    @classmethod
    def parse(cls, size: str) -> ClipShape:
        """Read ``640x360``.

        Raises:
            UsageError: it is not of that form.
        """
        found = re.fullmatch(r"(\d{2,4})x(\d{2,4})", size)
        if not found:
            raise UsageError(f"{size!r} is no size of a picture", "Write it so: 640x360.")
        return cls(*map(int, found.groups()))


def make_clips(folder: Path, n_clips: int, shape: ClipShape) -> list[tuple[str, Path]]:
    """Make clips, and return them as (video id, file).

    Raises:
        OutputError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    videos = []
    for k in range(n_clips):
        path = folder / f"clip{k:05d}.mp4"
        if not path.exists() and k < _DISTINCT:
            write_clip(path, _pictures(k, shape), shape.fps, _sound(k, shape), _RATE)
        elif not path.exists():
            os.link(folder / f"clip{k % _DISTINCT:05d}.mp4", path)
        videos.append((path.stem, path))
    return videos


def _pictures(seed: int, shape: ClipShape) -> Iterator[NDArray[np.uint8]]:
    """Yield windows on a larger picture, which wander: every block moves, as a camera makes it."""
    draw = np.random.default_rng(seed)
    size = (shape.width * 3 // 2, shape.height * 3 // 2)
    coarse = draw.integers(0, 256, (size[1] // 24, size[0] // 24, 3), dtype=np.uint8)
    scene = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC), np.int16)
    scene = (scene + draw.normal(0, 12, scene.shape)).clip(0, 255).astype(np.uint8)
    for k in range(round(shape.seconds * shape.fps)):
        x = round(shape.width / 4 * (1 + np.sin(k / 23 + seed)))
        y = round(shape.height / 4 * (1 + np.cos(k / 31 + seed)))
        yield np.ascontiguousarray(scene[y : y + shape.height, x : x + shape.width])


def _sound(seed: int, shape: ClipShape) -> NDArray[np.float32]:
    times = np.arange(round(shape.seconds * _RATE)) / _RATE
    noise = np.random.default_rng(seed).normal(0, 0.05, len(times))
    return (0.3 * np.sin(2 * np.pi * (300 + 40 * seed) * times) + noise).astype(np.float32)
