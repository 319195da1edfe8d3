"""What a model is asked to get right, by the kind of supervision.

Each loss is a sum over what it scores, beside the number of what it scores, so that the parts
of a batch on several devices add up to the whole batch's mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from avloc.datasets.examples import IGNORED
from avloc.training.config import TrainingConfig


@dataclass(frozen=True)
class Loss:
    """A kind of supervision.

    Attributes:
        total: (B, T, C) logits and (B, T) targets to the loss summed over what is scored.
        count: (B, T) targets to how many things are scored.
    """

    total: Callable[[Tensor, Tensor], Tensor]
    count: Callable[[Tensor], int]

    def mean(self, logits: Float[Tensor, "B T C"], targets: Int[Tensor, "B T"]) -> Tensor:
        """Return the loss of a batch that is whole."""
        return self.total(logits, targets) / self.count(targets)


def loss_of(config: TrainingConfig) -> Loss:
    """Return the loss that a configuration asks for."""
    if config.supervision == "full":
        return FULL
    pool = {"mean": _mean, "max": _max, "topk": _top_mean(config.top_k)}[config.pooling_used]
    labels = {"proportion": proportion, "presence": presence}[config.weak_labels]
    return Loss(lambda logits, targets: _weak(logits, targets, pool, labels), _n_windows)


def full(logits: Float[Tensor, "B T C"], targets: Int[Tensor, "B T"]) -> Float[Tensor, ""]:
    """Full supervision: cross-entropy over C classes, summed over all scored segments."""
    return cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum"
    )


def proportion(targets: Int[Tensor, "B T"], n_classes: int) -> Float[Tensor, "B C"]:
    """Return the paper's weak label, ``Y = mean_t y_t``: how much of the window each class has.

    It tells how long the event lasts, so its numbers never stand beside those of `presence`.
    """
    scored = targets != IGNORED
    one_hot = torch.nn.functional.one_hot(targets.clamp_min(0), n_classes) * scored.unsqueeze(-1)
    return one_hot.sum(dim=1) / scored.sum(dim=1, keepdim=True).clamp_min(1)


def presence(targets: Int[Tensor, "B T"], n_classes: int) -> Float[Tensor, "B C"]:
    """Return which event a window has, one-hot: background only if it has none.

    Where it has several events they share the label evenly.
    """
    present = (proportion(targets, n_classes) > 0).float()
    events, background = present[:, :-1], present[:, -1:]
    has_event = events.any(dim=1, keepdim=True)
    label = torch.cat([events, torch.where(has_event, 0.0, background)], dim=1)
    return label / label.sum(dim=1, keepdim=True).clamp_min(1)


def _weak(
    logits: Tensor,
    targets: Tensor,
    pool: Callable[[Tensor, Tensor], Tensor],
    labels: Callable[[Tensor, int], Tensor],
) -> Float[Tensor, ""]:
    """Weak supervision: soft cross-entropy of the logits pooled over time, summed over windows."""
    scored = targets != IGNORED
    has_any = scored.any(dim=1)
    pooled = pool(logits[has_any], scored[has_any])
    return cross_entropy(pooled, labels(targets[has_any], logits.shape[-1]), reduction="sum")


def _mean(logits: Float[Tensor, "B T C"], scored: Bool[Tensor, "B T"]) -> Float[Tensor, "B C"]:
    weights = scored.unsqueeze(-1)
    return (logits * weights).sum(dim=1) / weights.sum(dim=1)


def _max(logits: Float[Tensor, "B T C"], scored: Bool[Tensor, "B T"]) -> Float[Tensor, "B C"]:
    return logits.masked_fill(~scored.unsqueeze(-1), -torch.inf).amax(dim=1)


def _top_mean(k: int) -> Callable[[Tensor, Tensor], Tensor]:
    def pool(logits: Float[Tensor, "B T C"], scored: Bool[Tensor, "B T"]) -> Float[Tensor, "B C"]:
        """Return the mean of each class's k greatest logits, or of all where there are fewer."""
        masked = logits.masked_fill(~scored.unsqueeze(-1), -torch.inf)
        greatest = masked.topk(min(k, logits.shape[1]), dim=1).values
        is_real = greatest > -torch.inf
        return greatest.masked_fill(~is_real, 0.0).sum(dim=1) / is_real.sum(dim=1)

    return pool


def _n_segments(targets: Int[Tensor, "B T"]) -> int:
    return int((targets != IGNORED).sum())


def _n_windows(targets: Int[Tensor, "B T"]) -> int:
    return int((targets != IGNORED).any(dim=1).sum())


FULL = Loss(full, _n_segments)
"""Full supervision, and what every model is validated by."""
