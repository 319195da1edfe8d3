"""Batches: examples as tensors, on the device of a model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from avloc.datasets.examples import Examples
from avloc.datasets.targets import IGNORED

_SHARE_OF_MEMORY = 0.6
"""Of a GPU's free memory; the rest is for the model, its gradients and its activations."""


@dataclass(frozen=True)
class Truth:
    """The truth of B windows of one length."""

    targets: Bool[Tensor, "B T C"]  # the labels that are events
    heard: Bool[Tensor, "B T C"]  # that the sound has
    seen: Bool[Tensor, "B T C"]  # that the picture has
    scored: Bool[Tensor, "B T"]  # the segment's truth is known
    present: Bool[Tensor, "B C"]  # the labels of the row, or of its whole video
    row: Int[Tensor, B]  # the number of the window's row, always on the CPU

    @property
    def classes(self) -> Int[Tensor, "B T"]:
        """Class indices of exclusive labels, background last; `IGNORED` where not scored."""
        background = self.targets.shape[-1]
        labels = self.targets.to(torch.uint8).argmax(dim=-1)
        classes = torch.where(self.targets.any(dim=-1), labels, background)
        return torch.where(self.scored, classes, IGNORED)

    def first(self, n: int) -> Truth:
        """Return the truth of the first n windows."""
        return Truth(**{name: tensor[:n] for name, tensor in vars(self).items()})

    def copy(self) -> Truth:
        """Return a copy, which `Batch.hide` does not change."""
        return Truth(**{name: tensor.clone() for name, tensor in vars(self).items()})

    def to(self, device: torch.device) -> Truth:
        """Return it on a device."""
        moved = {k: _moved(v, device) for k, v in vars(self).items() if k != "row"}
        return Truth(**moved, row=self.row)


@dataclass(frozen=True)
class Batch:
    """B windows of one length; a missing modality is zeros and never valid."""

    visual: Float[Tensor, "B T H W Dv"]  # in half precision or, after `to`, in single
    audio: Float[Tensor, "B T Da"]
    truth: Truth
    visual_valid: Bool[Tensor, "B T"]  # the segment has a real picture
    audio_valid: Bool[Tensor, "B T"]  # the segment has real sound

    def to(self, device: torch.device) -> Batch:
        """Return it on a device, the visual maps in single precision."""
        return Batch(
            _moved(self.visual, device).float(),
            _moved(self.audio, device),
            self.truth.to(device),
            _moved(self.visual_valid, device),
            _moved(self.audio_valid, device),
        )

    def hide(self, modality: str, rows: Tensor | None = None) -> None:
        """Replace a modality by zeros in place, in all windows or in those marked in rows (B,).

        Then the events are those that the other modality has, and this one has none.
        """
        truth, chosen = self.truth, slice(None) if rows is None else _moved(rows, self.audio.device)
        is_visual = modality == "visual"
        hidden, other = (truth.seen, truth.heard) if is_visual else (truth.heard, truth.seen)
        for tensor in (getattr(self, modality), getattr(self, f"{modality}_valid"), hidden):
            tensor[chosen] = 0
        if isinstance(chosen, Tensor):  # as an index it would wait for the device to count it
            other = torch.where(chosen[:, None, None], other, truth.targets)
        truth.targets.copy_(other)


def batch_indices(
    examples: Examples,
    size: int,
    seed: int | Sequence[int] | None = None,
    *,
    whole_rows: bool = False,
) -> Iterator[list[int]]:
    """Yield the indices of at most ``size`` examples of one length; in order without a seed.

    With ``whole_rows`` the windows of a row stay together, and a batch ends with the row that
    fills it: it may be larger.
    """
    units: dict[int, list[int]] = {}
    for index, entry in enumerate(examples.entries):
        units.setdefault(entry.row if whole_rows else index, []).append(index)
    groups = list(units.values())
    order = np.arange(len(groups))
    if seed is not None:
        order = np.random.default_rng(seed).permutation(order)
    waiting: dict[int, list[int]] = {}
    for number in order.tolist():
        length = len(examples.entries[groups[number][0]].targets)
        waiting.setdefault(length, []).extend(groups[number])
        if len(waiting[length]) >= size:
            yield waiting.pop(length)
    yield from waiting.values()


def make_batch(examples: Examples, indices: Sequence[int], visual: Tensor | None = None) -> Batch:
    """Put examples of one length together.

    ``visual`` is memory for the maps in any precision; by default it is new, in half precision.
    """
    entries = [examples.entries[index] for index in indices]
    size = (len(entries), len(entries[0].targets))
    if visual is None:
        visual = torch.empty(*size, *examples.visual_shape, dtype=torch.float16)
    audio = torch.empty(*size, examples.audio_channels)
    visual_valid, audio_valid = torch.zeros(2, *size, dtype=torch.bool)
    for b, entry in enumerate(entries):
        video = examples.videos[entry.video]
        _fill(visual[b], visual_valid[b], video.visual, video.visual_valid, entry.first)
        _fill(audio[b], audio_valid[b], video.audio, video.audio_valid, entry.first)
    return Batch(visual, audio, truth_of(examples, indices), visual_valid, audio_valid)


def truth_of(examples: Examples, indices: Sequence[int]) -> Truth:
    """Return the truth of examples of one length."""
    entries = [examples.entries[index] for index in indices]
    columns: dict[str, Sequence[NDArray[Any]]] = {
        "targets": [entry.targets.events for entry in entries],
        "heard": [entry.targets.heard for entry in entries],
        "seen": [entry.targets.seen for entry in entries],
        "scored": [entry.targets.scored for entry in entries],
        "present": [entry.present for entry in entries],
        "row": [np.array(entry.row) for entry in entries],
    }
    return Truth(**{name: torch.from_numpy(np.stack(column)) for name, column in columns.items()})


def _fill(
    target: Tensor,
    target_valid: Tensor,
    source: NDArray[np.floating] | None,
    source_valid: NDArray[np.bool_],
    first: int,
) -> None:
    """Copy a window; segments that the video does not have are zero and stay invalid."""
    n_real = 0 if source is None else min(len(target), len(source) - first)
    if source is not None:
        target[:n_real] = torch.from_numpy(source[first : first + n_real])
        target_valid[:n_real] = torch.from_numpy(source_valid[first : first + n_real])
    target[n_real:] = 0


class Feed:
    """Batches on a device.

    A split that fits on a GPU is copied there once (``hold``), and a batch is a look-up there. On
    a CPU the maps of all batches share memory: a batch is valid until the next is made.
    """

    def __init__(
        self, examples: Examples, device: torch.device, *, hold: bool | None = None
    ) -> None:
        self.examples, self.device = examples, device
        self._memory = torch.empty(0)
        is_held = _fits(examples, device) if hold is None else hold
        self._held = _Held(examples, device) if is_held else None

    def order(
        self, size: int, seed: int | Sequence[int] | None = None, *, whole_rows: bool = False
    ) -> Iterator[list[int]]:
        """Yield the indices of each batch (see `batch_indices`)."""
        return batch_indices(self.examples, size, seed, whole_rows=whole_rows)

    def truth(self, indices: Sequence[int]) -> Truth:
        """Return the truth of examples, on the CPU."""
        return truth_of(self.examples, indices)

    def batch(self, indices: Sequence[int]) -> Batch:
        """Return examples of one length, on the device."""
        if self._held is not None:
            return self._held.batch(indices, self.truth(indices).to(self.device))
        return make_batch(self.examples, indices, self._visual(indices)).to(self.device)

    def _visual(self, indices: Sequence[int]) -> Tensor | None:
        """Return memory for a batch's maps: the system would clear new memory first."""
        n_segments = len(self.examples.entries[indices[0]].targets)
        shape = (len(indices), n_segments, *self.examples.visual_shape)
        if self.device.type != "cpu":  # pinned memory is used again once it was copied
            return torch.empty(shape, dtype=torch.float16, pin_memory=self.device.type == "cuda")
        if math.prod(shape) > self._memory.numel():
            self._memory = torch.empty(math.prod(shape))
        return self._memory[: math.prod(shape)].view(shape)


class _Held:
    """A split on a device: all segments of all videos, and a last one that is empty."""

    def __init__(self, examples: Examples, device: torch.device) -> None:
        lengths = [video.n_segments for video in examples.videos]
        *firsts, n_real = np.cumsum([0, *lengths]).tolist()
        n_all = n_real + 1
        self._visual = torch.zeros(
            n_all, *examples.visual_shape, dtype=torch.float16, device=device
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
        segments = np.stack([self._segments[index] for index in indices])
        chosen = _moved(torch.from_numpy(segments), self._visual.device)
        return Batch(
            self._visual[chosen].float(),
            self._audio[chosen],
            truth,
            self._visual_valid[chosen],
            self._audio_valid[chosen],
        )


def _moved(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor on a device without waiting for what the device does."""
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def _fits(examples: Examples, device: torch.device) -> bool:
    if device.type != "cuda":
        return False
    n_bytes = sum(0 if v.visual is None else v.visual.nbytes for v in examples.videos)
    return n_bytes < _SHARE_OF_MEMORY * torch.cuda.mem_get_info(device)[0]
