"""The loss and accuracy of an epoch, summed over its batches."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from avloc.datasets.batches import Truth
from avloc.models import ModelOutput
from avloc.training.losses import Loss
from avloc.training.team import Team


class Tally:
    """Sums over batches: losses, scored things, right segments and scored segments.

    The first and third are summed on the device, and read at the end: a step does not wait.
    """

    def __init__(self, device: torch.device) -> None:
        self._loss, self._n_right = torch.zeros(2, dtype=torch.float64, device=device)
        self._n_losses = self._n_segments = 0

    def add(
        self, output: ModelOutput, truth: Truth, total: Tensor, counted: Truth, loss: Loss
    ) -> None:
        """Add a batch; ``counted`` is its truth on the CPU."""
        self._loss += total.detach()
        self._n_right += n_right(output.logits.detach(), truth)
        self._n_losses += loss.count(counted)
        self._n_segments += int(counted.scored.sum())

    def of_team(self, team: Team) -> tuple[float, float]:
        """Return the team's mean loss and accuracy; NaN for an accuracy without known times."""
        loss, right = torch.stack([self._loss, self._n_right]).tolist()
        sums = team.sum([loss, self._n_losses, right, self._n_segments])
        return sums[0] / sums[1], sums[2] / sums[3] if sums[3] else math.nan


def n_right(logits: Tensor, truth: Truth) -> Float[Tensor, ""]:
    """Return how many scored segments are right; of independent labels, the share of each."""
    if logits.shape[-1] > truth.targets.shape[-1]:
        return (logits.argmax(dim=-1) == truth.classes).sum()  # `IGNORED` is never right
    is_right = (logits > 0) == truth.targets
    return is_right.float().mean(dim=-1).masked_fill(~truth.scored, 0.0).sum()
