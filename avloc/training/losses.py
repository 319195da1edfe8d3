"""The losses of full and weak supervision: sums with the number of things scored.

So the parts of a batch on several devices add up to the whole batch's mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot

from avloc.datasets.batches import Truth
from avloc.datasets.targets import IGNORED
from avloc.labels import LabelSet
from avloc.models import ModelOutput
from avloc.training.config import TrainingConfig


@dataclass(frozen=True)
class Loss:
    """A kind of supervision."""

    total: Callable[[ModelOutput, Truth], Tensor]
    """From a model's output and the truth to the summed loss."""
    count: Callable[[Truth], int]
    """From the truth to the number of scored segments (of labels, if they are independent)."""


def loss_of(config: TrainingConfig, labels: LabelSet) -> Loss:
    """Return the loss of a configuration."""
    full = full_loss(labels)
    if config.supervision == "full":
        return full
    label_of = {"proportion": proportion, "presence": presence}[config.weak_labels]

    def total(output: ModelOutput, truth: Truth) -> Float[Tensor, ""]:
        """Soft cross-entropy of the logits pooled over time."""
        logits, targets = output.logits.float(), truth.classes
        scored = targets != IGNORED
        has_any = scored.any(dim=1)
        pooled = _pooled(logits[has_any], scored[has_any], config.pooling_used, config.top_k)
        return cross_entropy(pooled, label_of(targets[has_any], logits.shape[-1]), reduction="sum")

    return Loss(total, lambda truth: int(truth.scored.any(dim=1).sum()))


def full_loss(labels: LabelSet) -> Loss:
    """Return the loss of full supervision; validation uses it for every model."""
    return EXCLUSIVE if labels.is_exclusive else INDEPENDENT


def _exclusive(output: ModelOutput, truth: Truth) -> Float[Tensor, ""]:
    logits, targets = output.logits.float(), truth.classes
    return cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum"
    )


def _independent(output: ModelOutput, truth: Truth) -> Float[Tensor, ""]:
    # The mean over labels, so that the number of labels does not change the step.
    logits, targets = output.logits.float()[truth.scored], truth.targets[truth.scored]
    losses = binary_cross_entropy_with_logits(logits, targets.float(), reduction="none")
    return losses.mean(dim=-1).sum()


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


def proportion(targets: Int[Tensor, "B T"], n_classes: int) -> Float[Tensor, "B C"]:
    """Return the paper's weak label ``Y = mean_t y_t``: each class's share of the window.

    It contains the event's length, so results with it are not comparable to `presence`.
    """
    scored = targets != IGNORED
    classes = one_hot(targets.clamp_min(0), n_classes) * scored.unsqueeze(-1)
    return classes.sum(dim=1) / scored.sum(dim=1, keepdim=True).clamp_min(1)


def presence(targets: Int[Tensor, "B T"], n_classes: int) -> Float[Tensor, "B C"]:
    """Return which events a window has, with equal shares: background only if it has none."""
    present = (proportion(targets, n_classes) > 0).float()
    events, background = present[:, :-1], present[:, -1:]
    has_event = events.any(dim=1, keepdim=True)
    label = torch.cat([events, torch.where(has_event, 0.0, background)], dim=1)
    return label / label.sum(dim=1, keepdim=True).clamp_min(1)


def _pooled(
    logits: Float[Tensor, "B T C"], scored: Bool[Tensor, "B T"], pooling: str, top_k: int
) -> Float[Tensor, "B C"]:
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
