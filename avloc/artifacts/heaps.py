"""A check that HDF5's own library lacks, without which a damaged file is read for ever.

HDF5 keeps texts outside the attributes and tables they belong to, in "global heaps" with the
mark ``GCOL``. libhdf5 (2.0 was tried) walks from entry to entry by each one's size, and where a
flipped byte or a zeroed page leads it to an entry of no size, it never gets any further.

A heap's place is told only where libhdf5 keeps it to itself, so the marks are searched for: in
the whole file, a fifth of a millisecond a megabyte. Numbers that happen to look like a mark
do not go on like a heap and are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from struct import unpack_from
from typing import BinaryIO

import numpy as np

_MARK = b"GCOL\x01"
_EVEN, _ODD = (int.from_bytes(pair, "little") for pair in (b"GC", b"CO"))
_BLOCK = 2**18  # bytes: small enough to stay in the processor's cache
_HEADER = 16  # bytes, of a heap and of each entry


def check_heaps(path: Path) -> None:
    """Refuse a file that libhdf5 would never finish reading.

    Args:
        path: an HDF5 file whose sizes have 8 bytes, as all that avloc writes.

    Raises:
        ValueError: a heap of texts is damaged.
    """
    n_bytes = n_left = path.stat().st_size
    with path.open("rb") as searched, path.open("rb") as file:
        for place in _marks(searched):
            file.seek(place)
            head = file.read(_HEADER)
            size = int.from_bytes(head[8:], "little")
            if len(head) < _HEADER or place + size > n_bytes:
                continue  # numbers that look like a mark, or what libhdf5 itself refuses
            n_left -= size
            if n_left < 0:
                raise ValueError("its heaps of texts lie over each other")
            _walk(head + file.read(max(0, size - _HEADER)), place)


def _marks(file: BinaryIO) -> Iterator[int]:
    """Yield the places of the mark.

    Pairs of bytes are compared, at even places with its first two letters and at odd places
    with the next two: searching for the mark itself takes three times as long.
    """
    start, tail = 0, b""
    while fresh := file.read(_BLOCK):
        block = tail + fresh
        pairs = np.frombuffer(block, "<u2", len(block) // 2)
        even, odd = np.flatnonzero(pairs == _EVEN) * 2, np.flatnonzero(pairs == _ODD) * 2 - 1
        for place in (*even.tolist(), *odd.tolist()):
            if place >= 0 and block.startswith(_MARK, place):
                yield start + place
        tail = block[1 - len(_MARK) :]  # a mark that the block's end cuts is found in the next
        start += len(block) - len(tail)


def _walk(heap: bytes, place: int) -> None:
    """Walk a heap as libhdf5 does.

    Raises:
        ValueError: the walk does not come to the heap's end.
    """
    at = _HEADER
    while at + _HEADER <= len(heap):
        (index,), (size,) = unpack_from("<H", heap, at), unpack_from("<Q", heap, at + 8)
        # the free space at the end is the entry 0, whose size has its header in it
        step = _HEADER + -(-size // 8) * 8 if index else size
        if step == 0 or at + step > len(heap):
            raise ValueError(f"the heap of texts at byte {place} is damaged")
        at += step
