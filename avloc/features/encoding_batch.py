"""Segments of many clips that go through an encoder together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from avloc.decoding.front_ends import find_front_end
from avloc.features.encoders import Encoder, Encoders

_CPU_GROUPS = 4  # a slow film's segments fill four groups better than one
_MOST_SEGMENTS = 64  # a still adds no item to a batch and would never fill it

Items = Sequence[NDArray[Any]] | NDArray[Any]
Deliver = Callable[[list[Tensor]], None]


class EncodingBatch:
    """Whole segments to encode at once, about ``size`` items; each distinct item once."""

    def __init__(self, encoder: Encoder, size: int) -> None:
        self._encoder = encoder
        self._size = size
        self._items = torch.empty(0)
        self._rows: dict[tuple[Hashable, Hashable], int] = {}
        self._segments: list[tuple[Deliver, list[int]]] = []

    def add(
        self,
        owner: Hashable,
        items: Items,
        samples: Sequence[Hashable],
        deliver: Deliver,
    ) -> None:
        """Copy a segment in, and encode the batch when it is full.

        ``items`` are the distinct items of clip ``owner``, in order; ``samples`` names the item of
        each sample. ``deliver`` is called with the samples' embeddings once they are computed.
        """
        is_full = len(self._rows) + len(items) > self._size
        if is_full or len(self._segments) == _MOST_SEGMENTS:
            self.encode()
        if len(self._items) < len(self._rows) + len(items):  # there is none yet, or too little
            self._items = self._memory_for(items)
        names = [(owner, sample) for sample in samples]
        for name, item in zip(dict.fromkeys(names), items, strict=True):
            row = self._rows.setdefault(name, len(self._rows))
            self._items[row] = torch.from_numpy(item)
        self._segments.append((deliver, [self._rows[name] for name in names]))
        if len(self._rows) >= self._size:
            self.encode()

    def encode(self) -> None:
        """Encode what was added, and deliver it."""
        if not self._segments:
            return
        embeddings = self._encoder.encode(self._items[: len(self._rows)]).unbind()
        segments, self._segments, self._rows = self._segments, [], {}
        if self._items.is_pinned():
            self._items = torch.empty(0)  # other memory for the next batch: this is on its way
        for deliver, rows in segments:
            # by numbers on the host: an index on the device would wait for the device
            deliver([embeddings[row] for row in rows])

    def _memory_for(self, items: Items) -> Tensor:
        like = torch.from_numpy(items[0])
        return torch.empty(
            (max(self._size, len(items)), *like.shape),
            dtype=like.dtype,
            pin_memory=self._encoder.device.type == "cuda",
        )


class Batches:
    """The batch of frames and the batch of sounds that all clips of a run share."""

    def __init__(self, encoders: Encoders, batch_size: int | None) -> None:
        visual, audio = encoders.visual, encoders.audio
        self.front_end = find_front_end(encoders.spec.front_end)
        if encoders.device.type == "cuda":
            size = batch_size or visual.group
            visual = replace(visual, group=size)
            audio = replace(audio, group=min(audio.group, size))
        else:  # the group stays, and with it the same bits
            size = -(-(batch_size or visual.group * _CPU_GROUPS) // visual.group) * visual.group
        self.frames = EncodingBatch(visual, size)
        self.sounds = EncodingBatch(audio, audio.group)

    def encode(self) -> None:
        """Encode what has not filled a batch."""
        self.frames.encode()
        self.sounds.encode()
