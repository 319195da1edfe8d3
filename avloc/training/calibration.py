"""Calibrated scores: one temperature, fitted on validation."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from avloc.datasets.batches import Feed
from avloc.datasets.examples import IGNORED
from avloc.models import Model
from avloc.training.loop import answers

_TEMPERATURES = torch.logspace(-1, 1, 401)  # 0.1 to 10, a step of 1.2 %


def fit_temperature(model: Model, examples: Feed, batch_size: int) -> float:
    """Return the divisor of logits with which the true classes of validation are likeliest.

    It changes the confidence of answers, but no answer (Guo et al., ICML 2017).
    """
    parts = [
        (logits[targets != IGNORED].float().cpu(), targets[targets != IGNORED].cpu())
        for logits, targets in answers(model, examples, batch_size)
    ]
    logits, targets = (torch.cat(column) for column in zip(*parts, strict=True))
    losses = [cross_entropy(logits / t, targets).item() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(torch.tensor(losses).argmin())])
