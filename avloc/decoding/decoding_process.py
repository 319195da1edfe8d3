"""Runs in a decoding process: a call decodes one segment into shared memory.

A clip is a running generator, so only the process that began it can go on with it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from ctypes import Array, c_ubyte, c_ulonglong
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from avloc.decoding.clip_decoding import DecodingTask, Message, Segment, decode_or_fail
from avloc.progress import give_sign, send_signs_to
from avloc.spec import FeatureSpec

_MOST_SLOTS, _MEMORY_BYTES = 8, 16 << 20

SharedMemory = Array[c_ubyte]
Signs = c_ulonglong
"""Counts the signs of a process's work, in shared memory."""
Shape = tuple[int, ...]


def memory_shape(spec: FeatureSpec) -> Shape:
    """Return (slots, frames of a segment, height, width, 3): a ring of at least two segments."""
    images = math.ceil(spec.fps * spec.exact_segment_seconds), *spec.size, 3
    return min(_MOST_SLOTS, max(2, _MEMORY_BYTES // math.prod(images))), *images


def slots_in(memory: SharedMemory, shape: Shape) -> NDArray[np.uint8]:
    """Return shared memory as an array."""
    return np.frombuffer(memoryview(memory), np.uint8).reshape(shape)


@dataclass
class _Decoder:
    """The clip that this process decodes."""

    slots: NDArray[np.uint8]
    number: int
    messages: Iterator[Message]


_decoder: _Decoder | None = None


def begin(memory: SharedMemory, shape: Shape, niceness: int, signs: Signs) -> None:
    """Make this process a decoding process: one thread, at low priority."""

    def count() -> None:
        signs.value += 1

    global _decoder
    send_signs_to(count)
    if hasattr(os, "nice"):
        os.nice(niceness)
    threadpool_limits(1)
    _decoder = _Decoder(slots_in(memory, shape), -1, iter(()))


def decode_next(number: int, task: DecodingTask, slot: int) -> Message | None:
    """Return clip ``number``'s next message, its images moved to a slot; None after its end."""
    assert _decoder is not None
    give_sign()
    if number != _decoder.number:
        _decoder.number, _decoder.messages = number, decode_or_fail(task)
    message = next(_decoder.messages, None)
    if isinstance(message, Segment):
        for k, image in enumerate(message.images):
            _decoder.slots[slot, k] = image
        message = replace(message, images=())
    return message
