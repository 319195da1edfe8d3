"""Batches on the device where a model is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from avloc.datasets.batches import Batch, Examples, batch_places, make_batch

_SHARE_OF_MEMORY = 0.6
"""Of what is free on a GPU: the rest is for the model, its gradients and its activations."""


class Feed:
    """Examples as a model takes them: from memory a batch at a time, or held on the GPU.

    Where a whole split fits on the GPU it goes there once, and a batch is a look-up there. On a
    CPU the maps of every batch lie in the same memory: one is good until the next is asked for.

    Args:
        examples: what to feed.
        device: where to.
        hold: whether to hold them there; None: where it is a GPU and they fit.
    """

    def __init__(
        self, examples: Examples, device: torch.device, *, hold: bool | None = None
    ) -> None:
        self.examples = examples
        self.device = device
        self._memory = torch.empty(0)
        self._held = _Held.of(examples, device) if _is_held(examples, device, hold) else None

    def order(self, size: int, seed: int | Sequence[int] | None = None) -> Iterator[list[int]]:
        """Walk the places of the examples, a batch at a time (see `batch_places`)."""
        return batch_places(self.examples, size, seed)

    def targets(self, places: Sequence[int]) -> Int[Tensor, "B T"]:
        """Return what is to be said of the examples, in memory."""
        return torch.from_numpy(np.stack([self.examples.entries[p].targets for p in places]))

    def batch(self, places: Sequence[int]) -> Batch:
        """Return examples of one length, on the device."""
        if self._held is None:
            return make_batch(self.examples, places, self._visual(places)).to(self.device)
        return self._held.batch(self.examples, places, self.targets(places).to(self.device))

    def _visual(self, places: Sequence[int]) -> Tensor | None:
        """Return memory for a batch's maps: fresh memory would be cleared by the system first."""
        if self.device.type != "cpu":
            return None
        n_segments = len(self.examples.entries[places[0]].targets)
        shape = (len(places), n_segments, *self.examples.visual_shape)
        if math.prod(shape) > self._memory.numel():
            self._memory = torch.empty(math.prod(shape))
        return self._memory[: math.prod(shape)].view(shape)


@dataclass(frozen=True)
class _Held:
    """All segments of all videos, one after the other, and a last one that is empty.

    Attributes:
        visual: (S + 1, H, W, Dv) in half precision, audio: (S + 1, Da), and whether they are
            real: (S + 1,).
        first: the first segment of each video, and
        length: how many it has.
    """

    visual: Tensor
    audio: Tensor
    visual_valid: Tensor
    audio_valid: Tensor
    first: tuple[int, ...]
    length: tuple[int, ...]

    @classmethod
    def of(cls, examples: Examples, device: torch.device) -> _Held:
        length = tuple(video.n_segments for video in examples.videos)
        first = tuple(np.cumsum([0, *length])[:-1].tolist())
        n_all, shape = sum(length) + 1, examples.visual_shape
        held = cls(
            torch.zeros(n_all, *shape, dtype=torch.float16, device=device),
            torch.zeros(n_all, examples.audio_channels, device=device),
            torch.zeros(n_all, dtype=torch.bool, device=device),
            torch.zeros(n_all, dtype=torch.bool, device=device),
            first,
            length,
        )
        for begin, video in zip(first, examples.videos, strict=True):
            place = slice(begin, begin + video.n_segments)
            if video.visual is not None:
                held.visual[place] = torch.from_numpy(np.array(video.visual)).to(device)
                held.visual_valid[place] = torch.from_numpy(np.array(video.visual_valid)).to(device)
            if video.audio is not None:
                held.audio[place] = torch.from_numpy(np.array(video.audio)).to(device)
                held.audio_valid[place] = torch.from_numpy(np.array(video.audio_valid)).to(device)
        return held

    def batch(self, examples: Examples, places: Sequence[int], targets: Tensor) -> Batch:
        segments = np.full(tuple(targets.shape), sum(self.length))
        for row, place in zip(segments, places, strict=True):
            entry = examples.entries[place]
            begin = self.first[entry.video] + entry.first
            n_real = min(len(row), self.length[entry.video] - entry.first)
            row[:n_real] = np.arange(begin, begin + n_real)
        index = torch.from_numpy(segments).to(self.visual.device)
        return Batch(
            self.visual[index].float(),
            self.audio[index],
            targets,
            self.visual_valid[index],
            self.audio_valid[index],
            tuple(places),
        )


def _is_held(examples: Examples, device: torch.device, hold: bool | None) -> bool:
    if hold is not None or device.type != "cuda":
        return bool(hold)
    n_bytes = sum(0 if v.visual is None else v.visual.nbytes for v in examples.videos)
    return n_bytes < _SHARE_OF_MEMORY * torch.cuda.mem_get_info(device)[0]
