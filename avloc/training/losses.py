"""The losses of full and weak supervision: sums with the number of things scored.

So the parts of a batch on several devices add up to the whole batch's mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from avloc.datasets.batches import Truth
from avloc.labels import IGNORED, LabelSet
from avloc.models import ModelOutput
from avloc.training.config import TrainingConfig
from avloc.training.splicing import Splice
from avloc.training.weak_error import WeakError
from avloc.training.weak_loss import WeakLoss


@dataclass(frozen=True)
class Loss:
    """A kind of supervision."""

    total: Callable[[ModelOutput, Truth], Tensor]
    """From a model's output and the truth to the summed loss."""
    count: Callable[[Truth], int]
    """From the truth to the number of scored segments (of labels, if they are independent)."""
    is_of_rows: bool = False
    """Whether all windows of a row must be in one batch."""
    isolated_total: Callable[[Tensor, Tensor, Truth], Tensor] | None = None
    """From logits of windows, and of each of their segments by itself, to the sum in its place."""
    splice_total: Callable[[Tensor, Splice, Truth], Tensor] | None = None
    """From logits of spliced windows, the first of the truth, to their summed loss."""
    error: Loss | None = None
    """The 0-1 loss of weak labels, which may choose the epoch."""


def loss_of(config: TrainingConfig, labels: LabelSet, most_labels: int = 1) -> Loss:
    """Return the loss of a configuration whose supervision is resolved (`resolved`).

    ``most_labels`` is the most labels of a row; weak supervision with exclusive labels uses it.
    """
    if not config.is_weak:
        return EXCLUSIVE if labels.is_exclusive else INDEPENDENT
    weak = WeakLoss(config, labels, most_labels)
    error = WeakError(config, labels, most_labels)
    splices = (weak.splice_total, error.splice_total) if config.splice == "on" else (None, None)
    return Loss(
        weak.total,
        weak.count,
        is_of_rows=True,
        isolated_total=weak.isolated_total if config.isolate == "on" else None,
        splice_total=splices[0],
        error=Loss(error.total, weak.count, splice_total=splices[1]),
    )


def loss_of_pseudo_labels(labels: LabelSet) -> Loss:
    """Return the loss of segments that are labelled by a model, whatever is hidden of them."""
    known = EXCLUSIVE if labels.is_exclusive else INDEPENDENT
    return replace(known, is_of_rows=True)


def _exclusive(output: ModelOutput, truth: Truth) -> Float[Tensor, ""]:
    logits, targets = output.logits.float(), truth.classes
    return cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum"
    )


def _independent(output: ModelOutput, truth: Truth) -> Float[Tensor, ""]:
    # The mean over labels, so that the number of labels does not change the step.
    logits, targets = output.logits.float(), truth.targets.float()
    losses = binary_cross_entropy_with_logits(logits, targets, reduction="none").mean(dim=-1)
    # the scored ones as an index would wait for the device to count them
    return losses.masked_fill(~truth.scored, 0.0).sum()


def _n_scored(truth: Truth) -> int:
    return int(truth.scored.sum())


def _with_senses(total: Callable[[ModelOutput, Truth], Tensor]) -> Callable[..., Tensor]:
    """Average with the losses of what is heard and what is seen, if a model answers each."""

    def average(output: ModelOutput, truth: Truth) -> Float[Tensor, ""]:
        totals = [total(output, truth)]
        for logits, events in ((output.heard, truth.heard), (output.seen, truth.seen)):
            if logits is not None:
                totals.append(total(ModelOutput(logits), replace(truth, targets=events)))
        return torch.stack(totals).mean()

    return average


EXCLUSIVE = Loss(_with_senses(_exclusive), _n_scored)
"""Cross-entropy of every scored segment."""
INDEPENDENT = Loss(_with_senses(_independent), _n_scored)
"""Binary cross-entropy of every scored segment, the mean over labels."""
