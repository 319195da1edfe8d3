"""Batches on a device: held there whole, or put together one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import tee

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avloc.datasets.batch_order import batch_indices
from avloc.datasets.batches import (
    Batch,
    Truth,
    dtype_of_maps,
    make_batch,
    truth_of,
)
from avloc.datasets.examples import Examples
from avloc.datasets.reading_ahead import Workers, announced
from avloc.devices import moved

_SHARE_OF_MEMORY = 0.6
"""Of a GPU's free memory; the rest is for the model, its gradients and its activations."""


class Feed:
    """Batches on a device.

    A split that fits on a GPU is copied there once (``hold``), and a batch is a look-up there.
    Otherwise ``n_workers`` processes read what is in files. On a CPU the maps of all batches share
    memory: a batch is valid until the next is made. Windows of different lengths are padded, or
    with ``one_length`` they are never in one batch.
    """

    def __init__(
        self,
        examples: Examples,
        device: torch.device,
        *,
        hold: bool | None = None,
        n_workers: int = 0,
        one_length: bool = False,
    ) -> None:
        self.examples, self.device, self._one_length = examples, device, one_length
        self._memory = torch.empty(0)
        is_held = _fits(examples, device) if hold is None else hold
        self._held = _Held(examples, device) if is_held else None
        self._n_workers = 0 if is_held or not examples.are_in_files else n_workers
        self._workers: Workers | None = None  # which begin with the first batch

    def order(
        self, size: int, seed: int | Sequence[int] | None = None, *, whole_rows: bool = False
    ) -> Iterator[list[int]]:
        """Yield the indices of each batch (see `batch_indices`)."""
        return batch_indices(
            self.examples, size, seed, whole_rows=whole_rows, one_length=self._one_length
        )

    def truth(self, indices: Sequence[int]) -> Truth:
        """Return the truth of examples, on the CPU."""
        return truth_of(self.examples, indices)

    def batches(self, parts: Iterable[Sequence[int]]) -> Iterator[Batch]:
        """Yield the batch of each of these lists of indices; the next is read meanwhile."""
        if self._held is not None or not self._n_workers:
            yield from map(self.batch, announced(self.examples, parts))
            return
        if self._workers is None:
            is_pinned = self.device.type == "cuda"
            self._workers = Workers(self.examples, self._n_workers, is_pinned=is_pinned)
        of_truth, of_features = tee(parts)
        features = self._workers.features(of_features)
        for indices, read in zip(of_truth, features, strict=True):
            if self.device.type == "cpu":
                read["visual"] = self._memory_of(read["visual"].shape).copy_(read["visual"])
            yield Batch(**read, truth=self.truth(indices)).to(self.device)

    def batch(self, indices: Sequence[int]) -> Batch:
        """Return examples on the device, padded to the longest."""
        if self._held is not None:
            return self._held.batch(indices, self.truth(indices).to(self.device))
        return make_batch(self.examples, indices, self._visual(indices)).to(self.device)

    def _visual(self, indices: Sequence[int]) -> Tensor:
        """Return memory for a batch's maps."""
        n_segments = max(len(self.examples.entries[index].targets) for index in indices)
        shape = torch.Size((len(indices), n_segments, *self.examples.visual_shape))
        if self.device.type == "cpu":
            return self._memory_of(shape)
        # pinned memory is used again once it was copied
        is_pinned = self.device.type == "cuda"
        return torch.empty(shape, dtype=dtype_of_maps(self.examples), pin_memory=is_pinned)

    def _memory_of(self, shape: torch.Size) -> Tensor:
        """Return memory that all batches share: the system would clear new memory first."""
        if shape.numel() > self._memory.numel():
            self._memory = torch.empty(shape.numel())
        return self._memory[: shape.numel()].view(shape)


class _Held:
    """A split on a device: all segments of all videos, and a last one that is empty."""

    def __init__(self, examples: Examples, device: torch.device) -> None:
        lengths = [video.n_segments for video in examples.videos]
        *firsts, n_real = np.cumsum([0, *lengths]).tolist()
        n_all = n_real + 1
        self._visual = torch.zeros(
            n_all, *examples.visual_shape, dtype=dtype_of_maps(examples), device=device
        )
        self._audio = torch.zeros(n_all, examples.audio_channels, device=device)
        self._visual_valid, self._audio_valid = torch.zeros(
            2, n_all, dtype=torch.bool, device=device
        )
        for first, video in zip(firsts, examples.videos, strict=True):
            part = slice(first, first + video.n_segments)
            if video.visual is not None:
                self._visual[part] = torch.from_numpy(np.array(video.visual)).to(device)
                self._visual_valid[part] = torch.from_numpy(np.array(video.visual_valid)).to(device)
            if video.audio is not None:
                self._audio[part] = torch.from_numpy(np.array(video.audio)).to(device)
                self._audio_valid[part] = torch.from_numpy(np.array(video.audio_valid)).to(device)
        self._segments: list[NDArray[np.int64]] = []  # of each example
        for entry in examples.entries:
            numbers = np.arange(len(entry.targets)) + entry.first
            is_real = numbers < lengths[entry.video]
            self._segments.append(np.where(is_real, firsts[entry.video] + numbers, n_all - 1))

    def batch(self, indices: Sequence[int], truth: Truth) -> Batch:
        segments = np.full(truth.scored.shape, len(self._audio) - 1)
        for of_batch, index in zip(segments, indices, strict=True):
            of_batch[: len(self._segments[index])] = self._segments[index]
        chosen = moved(torch.from_numpy(segments), self._visual.device)
        return Batch(
            self._visual[chosen].float(),
            self._audio[chosen],
            truth,
            self._visual_valid[chosen],
            self._audio_valid[chosen],
        )


def _fits(examples: Examples, device: torch.device) -> bool:
    if device.type != "cuda":
        return False
    n_bytes = sum(0 if v.visual is None else v.visual.nbytes for v in examples.videos)
    return n_bytes < _SHARE_OF_MEMORY * torch.cuda.mem_get_info(device)[0]
