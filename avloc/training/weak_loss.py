"""The losses of weak supervision: the labels of whole rows, and when they occur is to be found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
)

from avloc.datasets.batches import Truth
from avloc.devices import moved
from avloc.labels import LabelSet
from avloc.models import ModelOutput
from avloc.models.real_segments import mean_over_time
from avloc.training.config import TrainingConfig
from avloc.training.count_assignment import assigned, counts
from avloc.training.row_windows import RowWindows
from avloc.training.splicing import (
    Splice,
    allowed_labels,
    exclusive_splice_loss,
    independent_splice_loss,
)

_SMOOTHED = 0.9
"""The share of its label in what a picture is trained on; the rest is 1/2 (HAN's code)."""


@dataclass(frozen=True)
class WeakLoss:
    """The loss of the rows in a batch, each the mean over its segments or of its pooled answer.

    ``most_labels`` is the most labels that a row has, if the labels exclude each other.
    """

    config: TrainingConfig
    labels: LabelSet
    most_labels: int

    def count(self, truth: Truth) -> int:
        """Return the number of rows."""
        return len(set(truth.row.tolist()))

    def total(self, output: ModelOutput, truth: Truth) -> Float[Tensor, ""]:
        """Return the sum over rows. A model with a pooled answer of its own is trained on that."""
        rows = RowWindows.of(truth.row, output.logits.device)
        if output.pooled is not None:
            return _attentive_loss(output, truth.present, rows)
        logits, scored = rows.join(output.logits.float()), rows.mask(counted_segments(truth))
        if self.config.weak_labels == "presence":
            return self._pooled_loss(logits, scored, self._presence(rows.first(truth.present)))
        count = counts(rows.join(truth.targets), scored)
        if self.config.pooling == "count":
            return self._count_loss([logits], scored, count)
        share = count / scored.sum(dim=1, keepdim=True).clamp_min(1)
        return self._pooled_loss(logits, scored, self._with_background(share))

    def isolated_total(
        self, logits: Float[Tensor, "B T K"], isolated: Float[Tensor, "B T K"], truth: Truth
    ) -> Float[Tensor, ""]:
        """Return the sum over rows of the count loss of both logits, for one assignment of both.

        ``isolated`` are those of each segment by itself. A segment without the event cannot be
        recognised by itself, so that the labels are not given to the event's surroundings, where
        a network that mixes segments knows them as well.
        """
        rows = RowWindows.of(truth.row, logits.device)
        scored = rows.mask(counted_segments(truth))
        count = counts(rows.join(truth.targets), scored)
        both = [rows.join(of.float()) for of in (logits, isolated)]
        return self._count_loss(both, scored, count)

    def splice_total(
        self, logits: Float[Tensor, "B T K"], splice: Splice, truth: Truth
    ) -> Float[Tensor, ""]:
        """Return the weighted sum over rows of what spliced windows got wrong.

        ``truth`` is of the B windows and of further ones that are partners.
        """
        loss = exclusive_splice_loss if self.labels.is_exclusive else independent_splice_loss
        of_segments = loss(logits.float(), allowed_labels(truth.present, splice))
        return self.config.splice_weight * sum_of_rows(of_segments, splice, truth)

    def _presence(self, present: Bool[Tensor, "G C"]) -> Float[Tensor, "G K"]:
        """Return which labels a row has; exclusive ones in equal shares, background if none."""
        if not self.labels.is_exclusive:
            return present.float()
        has_none = ~present.any(dim=1, keepdim=True)
        label = torch.cat([present, has_none], dim=1).float()
        return label / label.sum(dim=1, keepdim=True)

    def _with_background(self, share: Float[Tensor, "G C"]) -> Float[Tensor, "G K"]:
        if not self.labels.is_exclusive:
            return share
        return torch.cat([share, 1 - share.sum(dim=1, keepdim=True)], dim=1)

    def _pooled_loss(
        self,
        logits: Float[Tensor, "G T K"],
        scored: Bool[Tensor, "G T"],
        label: Float[Tensor, "G K"],
    ) -> Float[Tensor, ""]:
        """Soft cross-entropy of the pooled logits; binary, the mean over labels, if independent."""
        pooled = pool(logits, scored, self.config.pooling, self.config.top_k)
        if self.labels.is_exclusive:
            return cross_entropy(pooled, label, reduction="sum")
        return binary_cross_entropy_with_logits(pooled, label, reduction="none").mean(dim=1).sum()

    def _count_loss(
        self,
        answers: Sequence[Float[Tensor, "G T K"]],
        scored: Bool[Tensor, "G T"],
        count: Int[Tensor, "G C"],
    ) -> Float[Tensor, ""]:
        """Assign the labels by the answers' mean; return the sum of the losses of each answer."""
        mean = torch.stack([logits.detach() for logits in answers]).mean(dim=0)
        targets = assigned(mean, count, scored, self.most_labels, self.labels)
        of_segments = [self._known_segments_loss(logits, targets) for logits in answers]
        losses = torch.stack(of_segments).sum(dim=0) * scored
        return (losses.sum(dim=1) / scored.sum(dim=1).clamp_min(1)).sum()

    def _known_segments_loss(
        self, logits: Float[Tensor, "G T K"], targets: Bool[Tensor, "G T C"]
    ) -> Float[Tensor, "G T"]:
        if not self.labels.is_exclusive:
            losses = binary_cross_entropy_with_logits(logits, targets.float(), reduction="none")
            return losses.mean(dim=-1)
        background = ~targets.any(dim=-1, keepdim=True)
        classes = torch.cat([targets, background], dim=-1).to(torch.uint8).argmax(dim=-1)
        return cross_entropy(logits.transpose(1, 2), classes, reduction="none")


def counted_segments(truth: Truth) -> Bool[Tensor, "B T"]:
    """Return the segments that a weak label speaks of: all of a window without any known time."""
    counted = truth.scored | ~truth.scored.any(dim=1, keepdim=True)
    return counted if truth.real is None else counted & moved(truth.real, counted.device)


def sum_of_rows(
    of_segments: Float[Tensor, "B T"], splice: Splice, truth: Truth
) -> Float[Tensor, ""]:
    """Sum over rows the mean over each row's spliced windows and their segments."""
    n = len(splice.partner)
    real = None if truth.real is None else truth.real[:n]
    means = mean_over_time(of_segments.unsqueeze(-1), real).flatten()
    of_windows = means * splice.has_partner
    rows = RowWindows.of(truth.row[:n], of_windows.device)
    of_rows = (of_windows[rows.index] * rows.is_real).sum(dim=1) / rows.is_real.sum(dim=1)
    return of_rows.sum()


def pool(
    logits: Float[Tensor, "G T K"], scored: Bool[Tensor, "G T"], pooling: str, top_k: int
) -> Float[Tensor, "G K"]:
    """Pool over the scored segments: their mean, their maximum, or their top_k's mean."""
    weights = scored.unsqueeze(-1)
    if pooling == "mean":
        return (logits * weights).sum(dim=1) / weights.sum(dim=1)
    masked = logits.masked_fill(~weights, -torch.inf)
    if pooling == "max":
        return masked.amax(dim=1)
    greatest = masked.topk(min(top_k, logits.shape[1]), dim=1).values
    is_real = greatest > -torch.inf
    return greatest.masked_fill(~is_real, 0.0).sum(dim=1) / is_real.sum(dim=1)


def _attentive_loss(
    output: ModelOutput, present: Bool[Tensor, "B C"], rows: RowWindows
) -> Float[Tensor, ""]:
    """Binary cross-entropy of a row's likeliest window, the mean over labels, as HAN's authors.

    The guided losses of what is heard and what is seen are added where the model pools them; the
    label of what is seen is smoothed, as it is wrong more often.
    """
    label = rows.first(present).float()
    smoothed = _SMOOTHED * label + (1 - _SMOOTHED) / 2
    pairs = ((output.pooled, label), (output.pooled_heard, label), (output.pooled_seen, smoothed))
    total = torch.zeros((), device=label.device)
    for pooled, wanted in pairs:
        if pooled is not None:
            likeliest = rows.join(pooled.float().unsqueeze(1)).amax(dim=1).clamp(0, 1)
            losses = binary_cross_entropy(likeliest, wanted, reduction="none")
            total = total + losses.mean(dim=1).sum()
    return total
