"""Batches: examples as tensors, on the device of a model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from avloc.artifacts.stored_array import StoredArray
from avloc.datasets.examples import Example, Examples
from avloc.devices import moved
from avloc.labels import IGNORED

_CACHED = 2**18  # numbers: so many stay in a processor's cache from file to batch


@dataclass(frozen=True)
class Truth:
    """The truth of B windows; shorter ones are padded with segments that are not scored."""

    targets: Bool[Tensor, "B T C"]  # the labels that are events
    heard: Bool[Tensor, "B T C"]  # that the sound has
    seen: Bool[Tensor, "B T C"]  # that the picture has
    scored: Bool[Tensor, "B T"]  # the segment's truth is known
    present: Bool[Tensor, "B C"]  # the labels of the row, or of its whole video
    row: Int[Tensor, B]  # the number of the window's row, always on the CPU
    real: Bool[Tensor, "B T"] | None = None  # not padding; None if nothing is; always on the CPU

    @property
    def classes(self) -> Int[Tensor, "B T"]:
        """Class indices of exclusive labels, background last; `IGNORED` where not scored."""
        background = self.targets.shape[-1]
        labels = self.targets.to(torch.uint8).argmax(dim=-1)
        classes = torch.where(self.targets.any(dim=-1), labels, background)
        return torch.where(self.scored, classes, IGNORED)

    @property
    def lengths(self) -> Int[Tensor, B]:
        """How many segments each window has, on the CPU."""
        if self.real is None:
            return torch.full(self.row.shape, self.scored.shape[1])
        return self.real.sum(dim=1)

    def map(self, change: Callable[[Tensor], Tensor]) -> Truth:
        """Return the truth with each tensor changed."""
        tensors = {name: change(t) for name, t in vars(self).items() if t is not None}
        return Truth(**tensors)

    def first(self, n: int) -> Truth:
        """Return the truth of the first n windows."""
        return self.map(lambda tensor: tensor[:n])

    def copy(self) -> Truth:
        """Return a copy, which `Batch.hide` does not change."""
        return self.map(torch.clone)

    def to(self, device: torch.device) -> Truth:
        """Return it on a device."""
        on_device = self.map(lambda tensor: moved(tensor, device))
        return replace(on_device, row=self.row, real=self.real)


@dataclass(frozen=True)
class Batch:
    """B windows; a missing modality, and padding of shorter windows, is zeros and never valid."""

    visual: Float[Tensor, "B T H W Dv"]  # in half precision or, after `to`, in single
    audio: Float[Tensor, "B T Da"]
    truth: Truth
    visual_valid: Bool[Tensor, "B T"]  # the segment has a real picture
    audio_valid: Bool[Tensor, "B T"]  # the segment has real sound

    @property
    def real(self) -> Bool[Tensor, "B T"] | None:
        """Which segments are not padding; None if all windows have the same length."""
        return self.truth.real

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The arguments of a model: ``visual``, ``audio`` and, if windows are padded, ``real``."""
        features = self.visual, self.audio
        return features if self.real is None else (*features, self.real)

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


def make_batch(examples: Examples, indices: Sequence[int], visual: Tensor | None = None) -> Batch:
    """Put examples together, padded to the longest.

    ``visual`` is memory for the maps in any precision; by default it is new, in their own.
    """
    entries = [examples.entries[index] for index in indices]
    size = (len(entries), max(len(entry.targets) for entry in entries))
    if visual is None:
        visual = torch.empty(*size, *examples.visual_shape, dtype=dtype_of_maps(examples))
    audio = torch.empty(*size, examples.audio_channels)
    visual_valid, audio_valid = torch.zeros(2, *size, dtype=torch.bool)
    for b, entry in enumerate(entries):
        video = examples.videos[entry.video]
        _fill(visual[b], visual_valid[b], video.visual, video.visual_valid, entry)
        _fill(audio[b], audio_valid[b], video.audio, video.audio_valid, entry)
    return Batch(visual, audio, truth_of(examples, indices), visual_valid, audio_valid)


def dtype_of_maps(examples: Examples) -> torch.dtype:
    """Return the precision in which maps are brought to a device."""
    return torch.float16 if examples.are_maps_half else torch.float32


def truth_of(examples: Examples, indices: Sequence[int]) -> Truth:
    """Return the truth of examples, padded to the longest."""
    entries = [examples.entries[index] for index in indices]
    targets = [entry.targets for entry in entries]
    lengths = np.array([len(of_window) for of_window in targets])
    longest = int(lengths.max())
    real = np.arange(longest) < lengths[:, None]
    return Truth(
        targets=_padded([of_window.events for of_window in targets], longest),
        heard=_padded([of_window.heard for of_window in targets], longest),
        seen=_padded([of_window.seen for of_window in targets], longest),
        scored=_padded([of_window.scored for of_window in targets], longest),
        present=torch.from_numpy(np.stack([entry.present for entry in entries])),
        row=torch.tensor([entry.row for entry in entries]),
        real=None if real.all() else torch.from_numpy(real),
    )


def _padded(windows: Sequence[NDArray[np.bool_]], length: int) -> Bool[Tensor, "B T *C"]:
    """Stack windows, each filled up with False."""
    padded = np.zeros((len(windows), length, *windows[0].shape[1:]), bool)
    for of_batch, window in zip(padded, windows, strict=True):
        of_batch[: len(window)] = window
    return torch.from_numpy(padded)


def _fill(
    target: Tensor,
    target_valid: Tensor,
    source: NDArray[np.floating] | StoredArray | None,
    source_valid: NDArray[np.bool_],
    entry: Example,
) -> None:
    """Copy a window; segments that it or its video does not have are zero and stay invalid."""
    first = entry.first
    n_real = 0 if source is None else min(len(entry.targets), len(source) - first)
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
