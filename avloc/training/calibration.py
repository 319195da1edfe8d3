"""Calibrated scores: one temperature, fitted on validation."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from avloc.datasets.batches import Feed
from avloc.datasets.examples import IGNORED
from avloc.models import Model

_TEMPERATURES = torch.logspace(-1, 1, 401)  # 0.1 to 10, a step of 1.2 %


def fit_temperature(model: Model, examples: Feed, batch_size: int) -> float:
    """Return the divisor of a model's logits that calibrates it (Guo et al., ICML 2017).

    With it the true classes of the scored validation segments are likeliest. It changes the
    confidence of answers, but no answer.
    """
    model.eval()
    logits, targets = [], []
    with torch.inference_mode():
        for indices in examples.order(batch_size):
            batch = examples.batch(indices)
            scored = batch.targets != IGNORED
            logits.append(model(batch.visual, batch.audio).logits[scored].float().cpu())
            targets.append(batch.targets[scored].cpu())
    all_logits, all_targets = torch.cat(logits), torch.cat(targets)
    losses = [cross_entropy(all_logits / t, all_targets).item() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(torch.tensor(losses).argmin())])
