"""Ways to damage a file's bytes: what disks, transfers, other programs and enemies do to them."""

from __future__ import annotations

from collections.abc import Callable
from struct import pack

import numpy as np

Draw = np.random.Generator
PAGE = 512
EXTREMES = (b"\xff" * 4, b"\xff" * 8, b"\0" * 8, pack("<Q", 2**62), pack("<Q", 10**12))


def damaged(content: bytes, draw: Draw) -> tuple[str, bytes]:
    """Damage some bytes in one of the ways in `WAYS`; return its name and the outcome."""
    name = str(draw.choice(list(WAYS)))
    return name, bytes(WAYS[name](bytearray(content), draw))


def _flip_bits(content: bytearray, draw: Draw) -> bytearray:
    for _ in range(draw.integers(1, 5)):
        content[_used(content, draw)] ^= 1 << int(draw.integers(8))
    return content


def _swap_bytes(content: bytearray, draw: Draw) -> bytearray:
    first, second = _used(content, draw), _used(content, draw)
    content[first], content[second] = content[second], content[first]
    return content


def _write_noise(content: bytearray, draw: Draw) -> bytearray:
    start, length = _used(content, draw), int(draw.integers(2, 200))
    fresh = draw.bytes(min(length, len(content) - start))
    content[start : start + len(fresh)] = fresh
    return content


def _zero_page(content: bytearray, draw: Draw) -> bytearray:
    start = _used(content, draw) // PAGE * PAGE
    end = min(start + PAGE, len(content))
    content[start:end] = bytes(end - start)
    return content


def _truncate(content: bytearray, draw: Draw) -> bytearray:
    return content[: int(draw.integers(len(content)))]


def _cut_out(content: bytearray, draw: Draw) -> bytearray:
    start = int(draw.integers(len(content)))
    del content[start : start + int(draw.integers(1, PAGE))]
    return content


def _repeat_block(content: bytearray, draw: Draw) -> bytearray:
    start = int(draw.integers(len(content)))
    end = start + int(draw.integers(1, 4 * PAGE))
    return content[:end] + content[start:end] + content[end:]


def _claim_extremes(content: bytearray, draw: Draw) -> bytearray:
    """Put numbers where a length may be that no file can hold."""
    start, fresh = _used(content, draw), EXTREMES[draw.integers(len(EXTREMES))]
    fresh = fresh[: len(content) - start]
    content[start : start + len(fresh)] = fresh
    return content


def _used(content: bytearray, draw: Draw) -> int:
    """Draw the place of a byte that is not zero: most of a small file is zeros."""
    return int(draw.choice(np.flatnonzero(np.frombuffer(content, np.uint8).copy())))


WAYS: dict[str, Callable[[bytearray, Draw], bytearray]] = {
    "bits flipped": _flip_bits,
    "bytes swapped": _swap_bytes,
    "noise written": _write_noise,
    "page zeroed": _zero_page,
    "truncated": _truncate,
    "part cut out": _cut_out,
    "block repeated": _repeat_block,
    "length made extreme": _claim_extremes,
}
