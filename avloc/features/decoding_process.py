"""What runs in a decoding process: clips decoded a chunk a call, pictures left in shared memory.

A clip is a running generator in the process that began it, so only that process can go on
with it; the pool on the other side keeps to that.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from ctypes import Array, c_ubyte, c_ulonglong
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from avloc.features.decoding import (
    PATCHES_A_MESSAGE,
    DecodingTask,
    Message,
    PictureSegment,
    SoundSegments,
    decode_or_fail,
)
from avloc.progress import give_sign, send_signs_to
from avloc.spec import FeatureSpec

_HALF_BYTES = 8 << 20

SharedMemory = Array[c_ubyte]
Signs = c_ulonglong
"""Counts the signs of a process's work, in shared memory."""


@dataclass(frozen=True)
class PictureMemory:
    """How pictures lie in shared memory: two halves, one is filled while the other is read.

    Attributes:
        per_segment: pictures that a segment has at most.
        per_half: pictures in a half; always a number of segments.
        size: (height, width) of each.
    """

    per_segment: int
    per_half: int
    size: tuple[int, int]

    @classmethod
    def of(cls, spec: FeatureSpec) -> PictureMemory:
        """Return a layout for a spec's segments: some 8 MiB a half, or one segment if larger."""
        per_segment = math.ceil(spec.fps * spec.exact_segment_seconds)
        n_segments = max(1, _HALF_BYTES // (per_segment * math.prod(spec.size) * 3))
        return cls(per_segment, per_segment * n_segments, spec.size)

    @property
    def n_bytes(self) -> int:
        """Bytes of both halves."""
        return 2 * self.per_half * math.prod(self.size) * 3

    def view(self, memory: SharedMemory) -> NDArray[np.uint8]:
        """Return the memory as (2, per_half, height, width, 3)."""
        halves = np.frombuffer(memoryview(memory), np.uint8)
        return halves.reshape(2, self.per_half, *self.size, 3)


@dataclass(frozen=True)
class Chunk:
    """A clip's next messages.

    Attributes:
        messages: their pictures taken out, and
        n_images: how many each has in the shared half, one after the other.
    """

    messages: list[Message] = field(default_factory=list)
    n_images: list[int] = field(default_factory=list)


class _Decoder:
    """The one decoder of a process."""

    def __init__(self, memory: SharedMemory, layout: PictureMemory) -> None:
        self._layout = layout
        self._halves = layout.view(memory)
        self._number = -1
        self._messages: Iterator[Message] = iter(())

    def more(self, number: int, task: DecodingTask, half: int) -> Chunk:
        """Return clip ``number``'s next chunk; an empty one once it has ended."""
        if number != self._number:
            self._number, self._messages = number, decode_or_fail(task)
        chunk, n_used = Chunk(), 0
        for message in self._messages:
            n_images = 0
            if isinstance(message, PictureSegment):
                n_images = len(message.images)
                self._halves[half, n_used : n_used + n_images] = message.images
                message = replace(message, images=message.images[:0])
            n_used += n_images
            chunk.messages.append(message)
            chunk.n_images.append(n_images)
            if _is_large(message) or n_used + self._layout.per_segment > self._layout.per_half:
                break
        return chunk


def _is_large(message: Message) -> bool:
    return isinstance(message, SoundSegments) and len(message.patches) == PATCHES_A_MESSAGE


_decoder: _Decoder | None = None


def begin(memory: SharedMemory, layout: PictureMemory, niceness: int, signs: Signs) -> None:
    """Make this process a decoding process: one thread, and at low priority."""

    def count() -> None:
        signs.value += 1

    global _decoder
    send_signs_to(count)
    if hasattr(os, "nice"):
        os.nice(niceness)
    torch.set_num_threads(1)
    threadpool_limits(1)
    _decoder = _Decoder(memory, layout)


def decode_more(number: int, task: DecodingTask, half: int) -> Chunk:
    """Decode on: called in a process that has begun."""
    assert _decoder is not None
    give_sign()
    return _decoder.more(number, task, half)
