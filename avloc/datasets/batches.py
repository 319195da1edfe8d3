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

from avloc.artifacts.stored_array import StoredArray
from avloc.datasets.examples import Examples
from avloc.labels import IGNORED

_CACHED = 2**18  # numbers: so many stay in a processor's cache from file to batch


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
        on_device = {k: moved(v, device) for k, v in vars(self).items() if k != "row"}
        return Truth(**on_device, row=self.row)


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
            moved(self.visual, device).float(),
            moved(self.audio, device),
            self.truth.to(device),
            moved(self.visual_valid, device),
            moved(self.audio_valid, device),
        )

    def hide(self, modality: str, rows: Tensor | None = None) -> None:
        """Replace a modality by zeros in place, in all windows or in those marked in rows (B,).

        Then the events are those that the other modality has, and this one has none.
        """
        truth, chosen = self.truth, slice(None) if rows is None else moved(rows, self.audio.device)
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

    ``visual`` is memory for the maps in any precision; by default it is new, in their own.
    """
    entries = [examples.entries[index] for index in indices]
    size = (len(entries), len(entries[0].targets))
    if visual is None:
        visual = torch.empty(*size, *examples.visual_shape, dtype=dtype_of_maps(examples))
    audio = torch.empty(*size, examples.audio_channels)
    visual_valid, audio_valid = torch.zeros(2, *size, dtype=torch.bool)
    for b, entry in enumerate(entries):
        video = examples.videos[entry.video]
        _fill(visual[b], visual_valid[b], video.visual, video.visual_valid, entry.first)
        _fill(audio[b], audio_valid[b], video.audio, video.audio_valid, entry.first)
    return Batch(visual, audio, truth_of(examples, indices), visual_valid, audio_valid)


def dtype_of_maps(examples: Examples) -> torch.dtype:
    """Return the precision in which maps are brought to a device."""
    return torch.float16 if examples.are_maps_half else torch.float32


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
    source: NDArray[np.floating] | StoredArray | None,
    source_valid: NDArray[np.bool_],
    first: int,
) -> None:
    """Copy a window; segments that the video does not have are zero and stay invalid."""
    n_real = 0 if source is None else min(len(target), len(source) - first)
    if source is not None:
        _copy(source, first, target[:n_real])
        target_valid[:n_real] = torch.from_numpy(source_valid[first : first + n_real])
    target[n_real:] = 0


def _copy(source: NDArray[np.floating] | StoredArray, first: int, target: Tensor) -> None:
    """Copy rows, of a file straight into their place, or a few that stay in the cache."""
    if isinstance(source, StoredArray) and source.dtype == target.numpy().dtype:
        source.read_into(target.numpy(), first)
        return
    n_together = max(1, _CACHED // max(1, math.prod(source.shape[1:])))
    for n in range(0, len(target), n_together):
        part = target[n : n + n_together]
        part.copy_(torch.from_numpy(source[first + n : first + n + len(part)]))


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor on a device without waiting for what the device does."""
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
