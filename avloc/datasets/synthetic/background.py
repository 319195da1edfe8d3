"""What is behind the objects: a gradient under one of four textures."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Plane = NDArray[np.float32]


def background(rng: Generator, width: int, height: int) -> Plane:
    """Return (height, width, 3): a gradient of two muted colours under a faint texture."""
    down, across = np.mgrid[0:height, 0:width].astype(np.float32) / height
    first, second = rng.uniform(60, 200, size=(2, 1, 1, 3)).astype(np.float32)
    direction = rng.uniform(0, 2 * np.pi)
    slope = 0.5 + 0.5 * (np.cos(direction) * (across - 0.6) + np.sin(direction) * (down - 0.5))
    ground = first + (second - first) * slope[..., None]
    texture = (_clouds, _waves, _bricks, _smooth)[rng.integers(4)]
    return np.asarray(ground + rng.uniform(8, 24) * texture(rng, across, down)[..., None])


def _clouds(rng: Generator, across: Plane, down: Plane) -> Plane:
    coarse = rng.normal(size=(9, 12)).astype(np.float32)
    y, x = (down * 7).clip(0, 7.99), (across / across.max() * 10).clip(0, 10.99)
    top, left = y.astype(int), x.astype(int)
    y, x = y - top, x - left
    upper = coarse[top, left] * (1 - x) + coarse[top, left + 1] * x
    lower = coarse[top + 1, left] * (1 - x) + coarse[top + 1, left + 1] * x
    return np.asarray(upper * (1 - y) + lower * y)


def _waves(rng: Generator, across: Plane, down: Plane) -> Plane:
    direction, length = rng.uniform(0, np.pi), rng.uniform(8, 30)
    return np.asarray(np.sin(length * (np.cos(direction) * across + np.sin(direction) * down)))


def _bricks(rng: Generator, across: Plane, down: Plane) -> Plane:
    n_rows = int(rng.integers(4, 9))
    row = np.floor(down * n_rows)
    column = np.floor(across * n_rows / 2 + 0.5 * (row % 2))
    shades = rng.normal(size=(n_rows + 1, 2 * n_rows + 2)).astype(np.float32)
    return np.asarray(0.7 * shades[row.astype(int), column.astype(int)])


def _smooth(rng: Generator, across: Plane, down: Plane) -> Plane:
    return np.zeros_like(across)
