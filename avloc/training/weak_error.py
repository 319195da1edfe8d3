"""How much of a model's answers contradicts weak labels: what chooses the epoch without times.

The cross-entropy of weak labels rises with the model's confidence long before its answers get
worse. So epochs are compared by the 0-1 loss of the same labels first, as full supervision compares
them by accuracy.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from avloc.datasets.batches import Truth
from avloc.labels import LabelSet
from avloc.models import ModelOutput
from avloc.training.config import TrainingConfig
from avloc.training.count_assignment import assigned, counts
from avloc.training.row_windows import RowWindows
from avloc.training.splicing import Splice, allowed_labels
from avloc.training.weak_loss import counted_segments, pool, sum_of_rows


@dataclass(frozen=True)
class WeakError:
    """The 0-1 loss of weak labels; the fields are those of `WeakLoss`."""

    config: TrainingConfig
    labels: LabelSet
    most_labels: int

    def total(self, output: ModelOutput, truth: Truth) -> Float[Tensor, ""]:
        """Return the sum over rows of the share of answers that contradict the label.

        With proportions these are the segments' answers, against the assignment that suits them
        best; with presence the pooled answer of the row.
        """
        rows = RowWindows.of(truth.row, output.logits.device)
        logits, scored = rows.join(output.logits.float()), rows.mask(counted_segments(truth))
        present = rows.first(truth.present)
        if output.pooled is not None:
            is_present = rows.join(output.pooled.unsqueeze(1)).amax(dim=1) > 1 / 2
            return (is_present != present).float().mean(dim=1).sum()
        if self.config.weak_labels == "presence":
            pooled = pool(logits, scored, self.config.pooling, self.config.top_k)
            return self._wrong(pooled, present).sum()
        count = counts(rows.join(truth.targets), scored)
        suiting = assigned(logits, count, scored, self.most_labels, self.labels)
        wrong = self._wrong(logits, suiting) * scored
        return (wrong.sum(dim=1) / scored.sum(dim=1).clamp_min(1)).sum()

    def splice_total(
        self, logits: Float[Tensor, "B T K"], splice: Splice, truth: Truth
    ) -> Float[Tensor, ""]:
        """Return the sum over rows of the share of spliced segments with a label not theirs."""
        allowed = allowed_labels(truth.present, splice)
        if not self.labels.is_exclusive:
            return sum_of_rows(((logits > 0) & ~allowed).float().mean(dim=-1), splice, truth)
        allowed = torch.cat([allowed, torch.ones_like(allowed[..., :1])], dim=-1)
        answer = logits.argmax(dim=-1, keepdim=True)
        return sum_of_rows((~allowed.gather(-1, answer)).squeeze(-1).float(), splice, truth)

    def _wrong(
        self, logits: Float[Tensor, "*B K"], labels: Bool[Tensor, "*B C"]
    ) -> Float[Tensor, "*B"]:
        """Return 1 where the answer is not among the labels; if independent, the share of them."""
        if not self.labels.is_exclusive:
            return ((logits > 0) != labels).float().mean(dim=-1)
        right = torch.cat([labels, ~labels.any(dim=-1, keepdim=True)], dim=-1)
        answer = logits.argmax(dim=-1, keepdim=True)
        return (~right.gather(-1, answer)).squeeze(-1).float()
