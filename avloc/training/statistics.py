"""The mean and deviation of a training set's features, a channel."""

from __future__ import annotations

import torch
from torch import Tensor

from avloc.datasets.batches import Examples, batches
from avloc.models import Model

_BATCH_SIZE = 32


def fit_scaling(model: Model, examples: Examples) -> None:
    """Let a model scale its inputs by the training set's statistics, valid segments only.

    Sums are in double precision; a modality that is nowhere valid is left as it is.
    """
    visual = _Moments(examples.visual_shape[-1])
    audio = _Moments(examples.audio_channels)
    for batch in batches(examples, _BATCH_SIZE):
        visual.add(batch.visual[batch.visual_valid])
        audio.add(batch.audio[batch.audio_valid])
    if visual.count:
        model.scale_visual.fit(*visual.mean_and_deviation())
    if audio.count:
        model.scale_audio.fit(*audio.mean_and_deviation())


class _Moments:
    """Running sums of values and squares, a channel."""

    def __init__(self, n_channels: int) -> None:
        self.count = 0
        self.total = torch.zeros(n_channels, dtype=torch.float64)
        self.squares = torch.zeros(n_channels, dtype=torch.float64)

    def add(self, values: Tensor) -> None:
        rows = values.reshape(-1, values.shape[-1]).float()
        self.count += len(rows)
        self.total += rows.sum(dim=0, dtype=torch.float64)
        self.squares += rows.square().sum(dim=0, dtype=torch.float64)

    def mean_and_deviation(self) -> tuple[Tensor, Tensor]:
        mean = self.total / self.count
        deviation = (self.squares / self.count - mean.square()).clamp_min(0).sqrt()
        return mean.float(), deviation.float()
