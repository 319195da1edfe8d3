"""A picture of any size to a network's size, in NumPy with PyTorch's bits.

PyTorch resizes bytes as Pillow does: across, then down, each sum of whole weights rounded to a
byte. Its weights have 15 bits, so every sum here is exact in float32 in whatever order, and the
result is the same on every processor.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.errors import UnknownNameError

Picture = NDArray[np.uint8]
_Floats = NDArray[np.floating[Any]]
_Part = tuple[slice, slice, _Floats]  # pixels before and after, (before, after) weights

SQUASH = "squash-bilinear"
_ANTIALIASED = {"bilinear": "squash-bilinear-antialias", "bicubic": "squash-bicubic-antialias"}
_FILTERS: dict[int | str, str] = {2: "bilinear", 3: "bicubic"}  # Pillow's numbers
_WEIGHT_BITS = 15
_ROWS = 64  # of pixels at once: what is computed of them stays in a core's cache
_FLOATS = 1 << 17  # the same for whole planes
_BAND = 16  # pixels of the result that a matrix product makes
_HALF, _MIDDLE = np.float32(0.5), np.float32(128)


def squash(picture: Picture, size: tuple[int, int], rule: str = SQUASH) -> Picture:
    """Resize (h, w, 3) uint8 to (height, width), the whole frame, by a rule that a spec names.

    ``squash-bilinear`` is without antialias. AVE's features were made so (``cv2.resize``); this
    stays within one grey level of it. The others are of `resize_rule`.
    """
    if picture.shape[:2] == size:
        return picture
    if rule == SQUASH:
        return _between_two(np.ascontiguousarray(picture), size)
    if rule not in _ANTIALIASED.values():
        raise UnknownNameError("rule to resize", rule, (SQUASH, *_ANTIALIASED.values()))
    return _in_bands(picture, size, rule)


def resize_rule(interpolation: int | str) -> str:
    """Return the rule nearest to a model's: Pillow's number or name of an interpolation."""
    name = (
        _FILTERS.get(interpolation, "bicubic") if isinstance(interpolation, int) else interpolation
    )
    return _ANTIALIASED.get(name, _ANTIALIASED["bicubic"])


def _between_two(picture: Picture, size: tuple[int, int]) -> Picture:
    """Resize a picture without antialias: each pixel lies between two, across and down."""
    (height, width), (n_rows, n_columns) = picture.shape[:2], size
    (left_right, shares), (needed, down) = _pairs(width, n_columns), _rows(height, n_rows)
    pixels = picture.view("V3")[..., 0]
    if len(needed) < height:
        pixels = pixels[needed]  # most rows of a large picture are not looked at
    columns, weights = left_right.ravel(), shares.repeat(3, axis=1)
    narrow = np.empty((len(pixels), 3 * n_columns), np.float32)
    for k in range(0, len(pixels), _ROWS):
        pairs = pixels[k : k + _ROWS].take(columns, axis=1, mode="clip").view(np.uint8)
        mixed = pairs.reshape(-1, 2, 3 * n_columns).astype(np.float32)
        mixed *= weights
        total = narrow[k : k + _ROWS]
        np.add(mixed[:, 0], mixed[:, 1], out=total)
        total += _HALF
        np.floor(total, out=total)
    squashed = np.empty((n_rows, 3 * n_columns), np.float32)
    for before, after, part in down:
        np.matmul(part.T, narrow[before], out=squashed[after])
    squashed += _HALF
    return squashed.astype(np.uint8).reshape(n_rows, n_columns, 3)  # which rounds down


@lru_cache(64)
def _pairs(n_before: int, n_after: int) -> tuple[NDArray[np.int64], _Floats]:
    """Return (2, n_after): the two pixels that each of a line lies between, and their weights."""
    at = np.maximum(n_before / n_after * (np.arange(n_after) + 0.5) - 0.5, 0.0)
    first = np.minimum(np.floor(at).astype(np.int64), n_before - 1)
    share = np.clip(at - first, 0.0, 1.0)
    both = np.stack([first, np.minimum(first + 1, n_before - 1)])
    return both, _whole(np.stack([1 - share, share]))


@lru_cache(64)
def _rows(n_before: int, n_after: int) -> tuple[NDArray[np.int64], list[_Part]]:
    """Return the rows that are looked at, ascending, and how the result is made of them."""
    both, weights = _pairs(n_before, n_after)
    needed = np.unique(both)
    matrix = np.zeros((n_after, len(needed)), np.float32)
    for rows, shares in zip(np.searchsorted(needed, both), weights, strict=True):
        matrix[np.arange(n_after), rows] += shares
    return needed, _parts(matrix)


def _in_bands(picture: Picture, size: tuple[int, int], rule: str) -> Picture:
    """Resize a picture with antialias, plane by plane: matrix products near the diagonal.

    Levels are counted from the middle: sums with negative weights would be too large else.
    """
    (height, width), (n_rows, n_columns) = picture.shape[:2], size
    across, across_offset = _bands(width, n_columns, rule)
    down, down_offset = _bands(height, n_rows, rule)
    n_together = max(8, _FLOATS // width)
    memory = np.empty((n_together, width), np.float32)
    squashed = np.empty((n_rows, n_columns, 3), np.uint8)
    narrow, plane = np.empty((height, n_columns), np.float32), np.empty(size, np.float32)
    for colour in range(3):
        for k in range(0, height, n_together):
            result = narrow[k : k + n_together]
            rows = memory[: len(result)]
            np.copyto(rows, picture[k : k + n_together, :, colour])
            rows -= _MIDDLE
            for before, after, weights in across:
                np.matmul(rows[:, before], weights, out=result[:, after])
            _round(result, across_offset)
        for before, after, weights in down:
            np.matmul(weights.T, narrow[before], out=plane[after])
        _round(plane, down_offset[:, None])
        plane += _MIDDLE
        squashed[..., colour] = plane
    return squashed


def _round(sums: _Floats, offset: _Floats) -> None:
    sums += offset
    np.floor(sums, out=sums)
    np.clip(sums, -_MIDDLE, _MIDDLE - 1, out=sums)


@lru_cache(64)
def _bands(n_before: int, n_after: int, rule: str) -> tuple[list[_Part], _Floats]:
    """Return a line's weights, and (n_after,): a half, and what the middle level's sum lacks."""
    matrix = _whole(_antialiased(n_before, n_after, rule))
    return _parts(matrix), (matrix.sum(axis=1) - 1) * _MIDDLE + _HALF


def _parts(matrix: _Floats) -> list[_Part]:
    """Cut an (n_after, n_before) matrix into blocks of rows, without the zeros around them."""
    parts = []
    for k in range(0, len(matrix), _BAND):
        block = matrix[k : k + _BAND]
        used = np.flatnonzero(block.any(axis=0))
        before = slice(int(used[0]), int(used[-1]) + 1)
        after = slice(k, k + len(block))
        parts.append((before, after, np.ascontiguousarray(block[:, before].T)))
    return parts


def _antialiased(n_before: int, n_after: int, rule: str) -> _Floats:
    """Return the (n_after, n_before) weights of Pillow's resize."""
    if n_before == n_after:
        return np.eye(n_after)
    curve, reach = _CURVES[rule]
    scale = n_before / n_after
    stretch = max(scale, 1.0)
    middle = scale * (np.arange(n_after) + 0.5)[:, None]
    first = np.maximum((middle - reach * stretch + 0.5).astype(np.int64), 0)
    end = np.minimum((middle + reach * stretch + 0.5).astype(np.int64), n_before)
    at = np.arange(n_before)
    weights = curve(np.abs((at - middle + 0.5) * (1 / stretch)))
    weights[(at < first) | (at >= end)] = 0.0
    # summed one by one, as it is done there: a sum in another order rounds differently
    return weights / np.cumsum(weights, axis=1)[:, -1:]


def _triangle(x: _Floats) -> _Floats:
    return np.maximum(1 - x, 0.0)


def _cubic(x: _Floats) -> _Floats:
    """Keys' curve with a = -1/2."""
    near, far = (1.5 * x - 2.5) * x * x + 1, (((x - 5) * x + 8) * x - 4) * -0.5
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


_CURVES: dict[str, tuple[Callable[[_Floats], _Floats], float]] = {
    _ANTIALIASED["bilinear"]: (_triangle, 1.0),
    _ANTIALIASED["bicubic"]: (_cubic, 2.0),
}


def _whole(weights: _Floats) -> _Floats:
    """Round weights to multiples of a power of two with which the largest has 15 bits."""
    bits = 0
    while bits < 22 and int(0.5 + weights.max() * (1 << (bits + 1))) < 1 << _WEIGHT_BITS:
        bits += 1
    whole = np.trunc(weights * (1 << bits) + np.copysign(0.5, weights))
    return (whole / (1 << bits)).astype(np.float32)
