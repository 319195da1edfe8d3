"""From a sense's class scores to its evidence for each label, and from two senses to a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from avloc.events import DEFAULT_THRESHOLD

THRESHOLD = DEFAULT_THRESHOLD
"""tau: what one sense alone must reach."""
SUPPORT = 0.3
"""kappa: how much the other sense's evidence lowers that."""
BIAS = 2.0
"""How many deviations over the background's mean a label is as likely as not."""
RIVAL_PULL = 0.25
"""How much of a rival's lead is taken from a label."""
IMPOSSIBLE = -16.0
"""The log-odds of a label that no sense knows."""


@dataclass(frozen=True)
class LabelClasses:
    """The classes that stand for a label: their indices, and weights in (0, 1]."""

    indices: Sequence[int] = ()
    weights: Sequence[float] = ()


class LabelEvidence(nn.Module):
    """Log-scores of K classes to log-odds of C labels, by fixed numbers.

    A label's raw score is that of any of its classes: ``log sum of weight * exp(score)``. What
    the same label scores on ordinary videos, its mean and deviation there, makes labels
    comparable. A label without classes gets NaN: this sense abstains.

    Args:
        n_labels: C.
        n_pairs: how many classes all labels have together.
    """

    pair_class: Tensor
    pair_label: Tensor
    pair_weight: Tensor
    centre: Tensor
    scale: Tensor
    abstains: Tensor

    def __init__(self, n_labels: int, n_pairs: int) -> None:
        super().__init__()
        self.register_buffer("pair_class", torch.zeros(n_pairs, dtype=torch.int64))
        self.register_buffer("pair_label", torch.zeros(n_pairs, dtype=torch.int64))
        self.register_buffer("pair_weight", torch.ones(n_pairs))
        self.register_buffer("centre", torch.zeros(n_labels))
        self.register_buffer("scale", torch.ones(n_labels))
        self.register_buffer("abstains", torch.ones(n_labels, dtype=torch.bool))

    def fit(
        self,
        classes: Sequence[LabelClasses],
        centre: Sequence[float],
        scale: Sequence[float],
    ) -> None:
        """Take the labels' classes, and the mean and deviation of the raw scores they give."""
        pairs = [
            (index, label, weight)
            for label, entry in enumerate(classes)
            for index, weight in zip(entry.indices, entry.weights, strict=True)
        ]
        if pairs:
            indices, labels, weights = zip(*pairs, strict=True)
            self.pair_class.copy_(torch.tensor(indices))
            self.pair_label.copy_(torch.tensor(labels))
            self.pair_weight.copy_(torch.tensor(weights))
        self.abstains.copy_(torch.tensor([not entry.indices for entry in classes]))
        self.centre.copy_(torch.tensor(centre))
        self.scale.copy_(torch.tensor(scale))

    def raw(self, scores: Float[Tensor, "*B K"]) -> Float[Tensor, "*B C"]:
        """Return each label's score of any of its classes; -inf without classes."""
        values = scores[..., self.pair_class] + self.pair_weight.log()
        labels = self.pair_label.expand_as(values)
        empty = values.new_full((*values.shape[:-1], len(self.centre)), -torch.inf)
        most = empty.scatter_reduce(-1, labels, values, "amax")
        shares = (values - most.gather(-1, labels)).exp()
        raw: Tensor = most + torch.zeros_like(empty).scatter_add(-1, labels, shares).log()
        return raw

    def of_label(self, label: int, scores: Float[Tensor, "*B K"]) -> Float[Tensor, "*B"]:
        """Return the deviations from the background of one label that has classes."""
        pairs = self.pair_label == label
        values = scores[..., self.pair_class[pairs]] + self.pair_weight[pairs].log()
        return (values.logsumexp(dim=-1) - self.centre[label]) / self.scale[label]

    def forward(self, scores: Float[Tensor, "*B K"]) -> Float[Tensor, "*B C"]:
        """Return the labels' log-odds; NaN where this sense abstains."""
        evidence = (self.raw(scores) - self.centre) / self.scale - BIAS
        return evidence.masked_fill(self.abstains, torch.nan)


def against_rivals(
    labels: Float[Tensor, "*B C"], rivals: Float[Tensor, "*B R"]
) -> Float[Tensor, "*B C"]:
    """Weaken labels where the strongest rival is stronger; NaN stays NaN."""
    if not rivals.shape[-1]:
        return labels
    strongest = rivals.nan_to_num(IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE).amax(-1, keepdim=True)
    return labels - RIVAL_PULL * (strongest - labels).clamp(min=0)


def fused(heard: Float[Tensor, "*B C"], seen: Float[Tensor, "*B C"]) -> Float[Tensor, "*B C"]:
    """Return the log-odds of labels by both senses' log-odds; NaN where a sense abstains.

    One sense makes an event where it reaches ``tau - kappa * other``. The score is
    ``strong + kappa * weak``, drawn to [0, 1] so that tau stays where it is. A sense that abstains
    gives no support and takes none.
    """
    known = ~torch.stack([heard, seen]).isnan()
    given = torch.stack([heard, seen]).sigmoid().nan_to_num(0.0)
    value = given.amax(0) + SUPPORT * given.amin(0)
    most = 1 + SUPPORT * known.all(0)
    above = THRESHOLD + (value - THRESHOLD) * (1 - THRESHOLD) / (most - THRESHOLD)
    score = torch.where(value > THRESHOLD, above, value).logit(1e-6)
    return torch.where(known.any(0), score, torch.full_like(score, IMPOSSIBLE))


def median_over_time(x: Float[Tensor, "B T C"], n: int) -> Float[Tensor, "B T C"]:
    """Return the median over n segments around each, n odd; the ends repeat."""
    if n < 2:
        return x
    half = n // 2
    padded = torch.cat([x[:, :1].expand(-1, half, -1), x, x[:, -1:].expand(-1, half, -1)], dim=1)
    return padded.unfold(1, n, 1).median(dim=-1).values


def shown_strength(
    heard: Float[Tensor, "*B"] | None, seen: Float[Tensor, "*B"]
) -> Float[Tensor, "*B"]:
    """Return how strong a label's map is, by its probabilities; NaN or None of ``heard`` is 1.

    That is how far it is heard; less where it is hardly seen.
    """
    sight = (seen.nan_to_num(0.0) / THRESHOLD).clamp(max=1)
    return sight if heard is None else sight * heard.nan_to_num(1.0)


def cell_weights(
    evidence: Float[Tensor, "*B N"], strength: Float[Tensor, "*B"]
) -> Float[Tensor, "*B N"]:
    """Return weights over the picture's N cells that sum to 1, uniform where strength is 0."""
    share = strength[..., None]
    return share * evidence.softmax(dim=-1) + (1 - share) / evidence.shape[-1]
