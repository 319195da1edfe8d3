"""The mean and deviation of every channel of a training set's features, measured once a store."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from avloc.artifacts import atomic_path
from avloc.artifacts.digests import digest_of_bytes
from avloc.artifacts.store_notes import alone
from avloc.artifacts.stored_array import StoredArray
from avloc.datasets.examples import Example, Examples
from avloc.errors import OutputError
from avloc.models import Model

Moments = tuple[Tensor, Tensor]
"""Mean and deviation, (D,) each."""

_MODALITIES = ("visual", "audio")
_METHOD = 1  # raised when the same features give other numbers
_PIECE = {"cpu": 2**18}  # numbers at a time: they stay in a processor's cache
_PIECE_ON_DEVICE = 2**24
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class ChannelStatistics:
    """Moments of both modalities over the valid segments; None where no segment is valid."""

    visual: Moments | None
    audio: Moments | None


def statistics_of(
    examples: Examples, folder: Path | None, device: torch.device
) -> ChannelStatistics:
    """Return the statistics that are noted in a store's ``folder``, or measure and note them.

    Processes that want the same wait for the first. The notes of a GPU are not a CPU's: they
    differ in their last bits.
    """
    key = _key(examples, device)
    if key is None or folder is None:
        return channel_statistics(examples, device)
    path = folder / f"statistics-{key}.npz"
    with alone(folder, "statistics"):
        if (known := _read(path, examples)) is not None:
            return known
        measured = channel_statistics(examples, device)
        _write(path, measured)
    return measured


def channel_statistics(examples: Examples, device: torch.device = _CPU) -> ChannelStatistics:
    """Measure the channels over the valid segments of every window."""
    sums = {modality: _Sums(device) for modality in _MODALITIES}
    with _on_one_thread():
        for entry in examples.entries:
            for modality in _MODALITIES:
                for rows in _pieces(examples, entry, modality, device):
                    sums[modality].add(rows)
    return ChannelStatistics(*(sums[modality].moments() for modality in _MODALITIES))


def fit_scaling(model: Model, statistics: ChannelStatistics) -> None:
    """Make a model scale its inputs; a modality without valid segments stays as it is."""
    if statistics.visual is not None:
        model.scale_visual.fit(*statistics.visual)
    if statistics.audio is not None:
        model.scale_audio.fit(*statistics.audio)


@contextmanager
def _on_one_thread() -> Iterator[None]:
    """Pieces are so small that several threads would only wait for each other."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


def _pieces(
    examples: Examples, entry: Example, modality: str, device: torch.device
) -> Iterator[Float[Tensor, "N D"]]:
    """Yield the valid segments of a window, a few at a time."""
    video = examples.videos[entry.video]
    values, valid = getattr(video, modality), getattr(video, f"{modality}_valid")
    if values is None:
        return
    last = min(len(values), entry.first + len(entry.targets))
    most = _PIECE.get(device.type, _PIECE_ON_DEVICE)
    n_together = max(1, most // math.prod(values.shape[1:]))
    for first in range(entry.first, last, n_together):
        part = slice(first, min(last, first + n_together))
        segments, is_valid = torch.from_numpy(values[part]), valid[part]
        if is_valid.any():
            chosen = segments if is_valid.all() else segments[torch.from_numpy(is_valid)]
            yield chosen.to(device).flatten(0, -2)


class _Sums:
    """Sums over rows, less the first mean: of a piece in single precision, of all in double."""

    def __init__(self, device: torch.device) -> None:
        self._count = 0
        self._shift = torch.zeros(0, device=device)
        self._total = self._squares = torch.zeros(0, dtype=torch.float64, device=device)
        self._memory = self._ones = torch.zeros(0, device=device)

    def add(self, rows: Float[Tensor, "N D"]) -> None:
        if not self._count:
            self._shift = rows.float().mean(dim=0)
            self._total, self._squares = torch.zeros(2, *self._shift.shape).to(self._total)
        self._count += len(rows)
        if len(rows) > len(self._memory):  # which the system would clear if it were new
            self._memory = torch.empty(rows.shape, device=rows.device)
            self._ones = torch.ones(1, len(rows), device=rows.device)
        ones = self._ones[:, : len(rows)]  # a product is three times as fast as a sum
        shifted = self._memory[: len(rows)].copy_(rows).sub_(self._shift)
        self._total += (ones @ shifted).squeeze(0)
        self._squares += (ones @ shifted.square_()).squeeze(0)

    def moments(self) -> Moments | None:
        if not self._count:
            return None
        offset = self._total / self._count
        deviation = (self._squares / self._count - offset.square()).clamp_min(0).sqrt()
        return (self._shift + offset).float().cpu(), deviation.float().cpu()


def _key(examples: Examples, device: torch.device) -> str | None:
    """Return what the statistics depend on as a name; None of features that are in memory."""
    files = []
    for video in examples.videos:
        stored = [array for array in (video.visual, video.audio) if array is not None]
        if not all(isinstance(array, StoredArray) for array in stored):
            return None
        states = [(array.file.n_bytes, array.file.mtime_ns) for array in stored[:1]]  # type: ignore[union-attr]
        files.append((video.video_id, states))
    windows = [(entry.video, entry.first, len(entry.targets)) for entry in examples.entries]
    content = json.dumps([_METHOD, device.type, files, windows])
    return digest_of_bytes(content.encode("utf-8", "surrogatepass"))


def _read(path: Path, examples: Examples) -> ChannelStatistics | None:
    """Return what a file notes; None if there is none, or it is damaged."""
    found = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays: dict[str, NDArray[np.float32]] = {name: file[name] for name in file.files}
        sizes = {"visual": examples.visual_shape[-1], "audio": examples.audio_channels}
        for modality, size in sizes.items():
            moments = arrays.get(modality)
            if moments is not None and not _is_sound(moments, size):
                return None
            found[modality] = None if moments is None else tuple(torch.from_numpy(moments))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return ChannelStatistics(**found)


def _is_sound(moments: NDArray[np.float32], size: int) -> bool:
    is_right = moments.shape == (2, size) and moments.dtype == np.float32
    return is_right and bool(np.isfinite(moments).all())


def _write(path: Path, statistics: ChannelStatistics) -> None:
    arrays = {
        modality: torch.stack(moments).numpy()
        for modality, moments in vars(statistics).items()
        if moments is not None
    }
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
    except OutputError:  # they are measured again
        pass
