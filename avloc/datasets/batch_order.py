"""Which examples are a batch: at random, but of similar lengths, so that little is padded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

import numpy as np

from avloc.datasets.examples import Examples

_POOL = 8  # batches that are drawn together, and cut by length
Unit = list[int]
"""Indices of examples that stay together: one, or all windows of a row."""


def batch_indices(
    examples: Examples,
    size: int,
    seed: int | Sequence[int] | None = None,
    *,
    whole_rows: bool = False,
    one_length: bool = False,
) -> Iterator[list[int]]:
    """Yield the indices of ``size`` examples, of fewer at the end; without a seed by length.

    With a seed, examples of eight batches are drawn, sorted by length, cut, and the batches
    shuffled. With ``whole_rows`` the windows of a row stay together, and a batch ends with the
    row that fills it: it may be larger. With ``one_length`` no batch needs padding; many may be
    smaller.
    """
    units = _units(examples, whole_rows=whole_rows)

    def length(unit: Unit) -> int:
        return len(examples.entries[unit[0]].targets)  # the windows of a row have one length

    if seed is None:
        units.sort(key=length)
        yield from _batches(units, size, length if one_length else None)
        return
    draw = np.random.default_rng(seed)
    units = [units[n] for n in draw.permutation(len(units)).tolist()]
    if one_length or len(set(map(length, units))) == 1:
        yield from _batches(units, size, length)
        return
    for pool in _filled(units, _POOL * size):
        batches = list(_batches(sorted(pool, key=length), size))
        yield from (batches[n] for n in draw.permutation(len(batches)).tolist())


def _units(examples: Examples, *, whole_rows: bool) -> list[Unit]:
    units: dict[int, Unit] = {}
    for index, entry in enumerate(examples.entries):
        units.setdefault(entry.row if whole_rows else index, []).append(index)
    return list(units.values())


def _batches(
    units: Iterable[Unit], size: int, key: Callable[[Unit], int] | None = None
) -> Iterator[list[int]]:
    yield from (list(chain.from_iterable(filled)) for filled in _filled(units, size, key))


def _filled(
    units: Iterable[Unit], size: int, key: Callable[[Unit], int] | None = None
) -> Iterator[list[Unit]]:
    """Yield units whose examples are ``size`` together, of one key; the rest at the end."""
    waiting: dict[int, list[Unit]] = {}
    for unit in units:
        number = key(unit) if key else 0
        collected = waiting.setdefault(number, [])
        collected.append(unit)
        if sum(map(len, collected)) >= size:
            yield waiting.pop(number)
    yield from waiting.values()
