"""The mean and deviation of every channel of a training set's features."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avloc.datasets.examples import Examples
from avloc.models import Model

Moments = tuple[Tensor, Tensor]
"""Mean and deviation, (D,) each."""


@dataclass(frozen=True)
class ChannelStatistics:
    """Moments of both modalities over the valid segments; None where no segment is valid."""

    visual: Moments | None
    audio: Moments | None


def channel_statistics(examples: Examples) -> ChannelStatistics:
    """Measure the channels over the valid segments of every window."""
    return ChannelStatistics(
        *(_moments(_windows(examples, modality)) for modality in ("visual", "audio"))
    )


def fit_scaling(model: Model, statistics: ChannelStatistics) -> None:
    """Make a model scale its inputs; a modality without valid segments stays as it is."""
    if statistics.visual is not None:
        model.scale_visual.fit(*statistics.visual)
    if statistics.audio is not None:
        model.scale_audio.fit(*statistics.audio)


def _windows(examples: Examples, modality: str) -> Iterator[NDArray[np.floating]]:
    """Yield the valid segments of each window, (T', ..., D)."""
    for entry in examples.entries:
        video = examples.videos[entry.video]
        values, valid = getattr(video, modality), getattr(video, f"{modality}_valid")
        if values is not None:
            window = slice(entry.first, entry.first + len(entry.targets))
            is_whole, rows = valid[window].all(), values[window]
            yield rows if is_whole else rows[valid[window]]


def _moments(windows: Iterator[NDArray[np.floating]]) -> Moments | None:
    """Sum each window, less the first mean, in single precision, and the windows in double."""
    count = 0
    shift = total = squares = torch.zeros(0, dtype=torch.float64)
    for window in windows:
        rows = torch.from_numpy(np.array(window, dtype=np.float32)).flatten(0, -2)
        if not len(rows):
            continue
        if not count:
            shift = rows.mean(dim=0)
            total = squares = torch.zeros(len(shift), dtype=torch.float64)
        rows -= shift
        count += len(rows)
        total = total + rows.sum(dim=0)
        squares = squares + rows.square_().sum(dim=0)
    if not count:
        return None
    offset = total / count
    deviation = (squares / count - offset.square()).clamp_min(0).sqrt()
    return (shift + offset).float(), deviation.float()
