"""Count assignment: a weak label says how many segments each event has, and not which.

Each label is given to the segments that the model finds likeliest for it, as many as the label
says. The loss is then that of known segments (`avloc.training.losses`).
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from avloc.labels import LabelSet


def counts(targets: Bool[Tensor, "B T C"], scored: Bool[Tensor, "B T"]) -> Int[Tensor, "B C"]:
    """Return how many scored segments each label has."""
    return (targets & scored.unsqueeze(-1)).sum(dim=1)


def assigned(
    logits: Float[Tensor, "B T K"],
    count: Int[Tensor, "B C"],
    scored: Bool[Tensor, "B T"],
    most_labels: int,
    labels: LabelSet,
) -> Bool[Tensor, "B T C"]:
    """Return which segments get each label; exclusive rows have ``most_labels`` at most."""
    if labels.is_exclusive:
        return assigned_exclusive(logits, count, scored, most_labels)
    return assigned_independent(logits, count, scored)


def assigned_independent(
    logits: Float[Tensor, "B T C"], count: Int[Tensor, "B C"], scored: Bool[Tensor, "B T"]
) -> Bool[Tensor, "B T C"]:
    """Give each label to its likeliest segments, the earlier of equals."""
    return _ranks(logits.masked_fill(~scored.unsqueeze(-1), -torch.inf)) < count.unsqueeze(1)


def assigned_exclusive(
    logits: Float[Tensor, "B T K"],
    count: Int[Tensor, "B C"],
    scored: Bool[Tensor, "B T"],
    n_rounds: int,
) -> Bool[Tensor, "B T C"]:
    """Give each label to the segments whose logit exceeds background's, the last of K, by most.

    A segment has one label at most: the ``n_rounds`` most frequent labels of a row choose in
    turn, the most frequent first. Segments that no label chose are background.
    """
    margins = logits[..., :-1] - logits[..., -1:]
    assigned = torch.zeros_like(margins, dtype=torch.bool)
    free = scored
    for label in count.argsort(dim=1, descending=True, stable=True)[:, :n_rounds].unbind(dim=1):
        column = label.view(-1, 1, 1).expand(-1, margins.shape[1], 1)
        margin = margins.gather(2, column).masked_fill(~free.unsqueeze(-1), -torch.inf)
        chosen = _ranks(margin) < count.gather(1, label.unsqueeze(1)).unsqueeze(1)
        assigned = assigned.scatter(2, column, chosen)
        free = free & ~chosen.squeeze(-1)
    return assigned


def _ranks(values: Float[Tensor, "B T C"]) -> Int[Tensor, "B T C"]:
    """Return each value's rank along T, 0 for the greatest; of equals the first leads."""
    return values.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
