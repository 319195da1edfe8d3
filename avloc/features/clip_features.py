"""One clip's messages turned into its features."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from avloc.artifacts import VideoFeatures
from avloc.decoding.clip_decoding import Decoded, Segment
from avloc.decoding.front_ends import Items
from avloc.features.encoding_batch import Batches
from avloc.features.segment_sounds import SegmentSounds

_SEGMENTS_AT_ONCE = 16  # maps go in small lots: eight of them may wait for the disk


class ClipFeatures:
    """One clip's features as its segments are encoded."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._n_in_batches = 0
        self._n_mapped = 0
        self._maps: list[Tensor] = []
        # (T, D); one small tensor a segment would live long and split the heap
        self._vectors: Tensor | None = None
        self._sounds: SegmentSounds | None = None
        self._n_heard = 0  # segments whose sound is in the batches or encoded
        self._rest: VideoFeatures | None = None
        self.n_segments = 0  # T, known from the first segment on
        self.n_taken = 0

    def take(self, message: Decoded) -> None:
        """Take the clip's next message."""
        if isinstance(message, VideoFeatures):
            self._hear(self._sounds.finish() if self._sounds is not None else [])
            self._rest = message
            return
        self.n_segments = message.grid.n_segments
        self.n_taken += 1
        if len(message.images):
            samples = message.frame_index.tolist()
            self._n_in_batches += 1
            self._batches.frames.add(self, message.images, samples, self._add_map)
        if message.sound is not None:
            self._sounds = self._sounds or self._sounds_of(message)
            self._hear(self._sounds.add(message.sound))

    def _sounds_of(self, message: Segment) -> SegmentSounds:
        return SegmentSounds(self._batches.front_end, message.sound_rate, message.grid)

    def _hear(self, segments: list[Items]) -> None:
        for items in segments:
            names = [(self._n_heard, k) for k in range(len(items))]
            self._n_in_batches += 1
            add_vector = partial(self._add_vector, self._n_heard)
            self._n_heard += 1
            self._batches.sounds.add(self, items, names, add_vector)

    def _add_map(self, samples: list[Tensor]) -> None:
        self._maps.append(torch.stack(samples).mean(dim=0).half())
        self._n_mapped += 1
        self._n_in_batches -= 1

    def _add_vector(self, segment: int, parts: list[Tensor]) -> None:
        vector = torch.stack(parts).mean(dim=0)
        if self._vectors is None:
            self._vectors = vector.new_empty((self.n_segments, *vector.shape))
        self._vectors[segment] = vector
        self._n_in_batches -= 1

    def next_maps(self) -> Tensor | None:
        """Return maps to keep, (k, H, W, D) float16 on the device; None if it is too early."""
        is_last = self._n_mapped == self.n_segments
        if not self._maps or (len(self._maps) < _SEGMENTS_AT_ONCE and not is_last):
            return None
        maps = torch.stack(self._maps)
        self._maps.clear()
        return maps

    @property
    def is_complete(self) -> bool:
        """Whether the clip was read to its end and every segment encoded."""
        return self._rest is not None and self._n_in_batches == 0

    def features(self) -> VideoFeatures:
        """Return a complete clip's features without its maps; waits for the device."""
        assert self._rest is not None
        audio = None if self._vectors is None else self._vectors.cpu().numpy()
        return replace(self._rest, audio=audio)
