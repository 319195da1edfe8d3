"""Scores that mean what they say: one temperature, fitted on validation."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from avloc.datasets.batches import Feed
from avloc.datasets.examples import IGNORED
from avloc.models import Model

_TEMPERATURES = torch.logspace(-1, 1, 401)  # 0.1 to 10, a step of 1.2 %


def fit_temperature(model: Model, examples: Feed, batch_size: int) -> float:
    """Return what a model's logits are to be divided by (Guo et al., ICML 2017).

    The temperature under which the true classes of the scored validation segments are
    likeliest; no decision changes by it, only how sure the scores are.

    Args:
        model: on its device, with the weights that are kept.
        examples: what it was validated on.
        batch_size: windows at once.
    """
    logits, targets = _scored(model, examples, batch_size)
    losses = [cross_entropy(logits / t, targets).item() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(torch.tensor(losses).argmin())])


def _scored(
    model: Model, examples: Feed, batch_size: int
) -> tuple[Float[Tensor, "S C"], Int[Tensor, " S"]]:
    """Return the logits and targets of all scored segments."""
    model.eval()
    found = []
    with torch.inference_mode():
        for places in examples.order(batch_size):
            batch = examples.batch(places)
            scored = batch.targets != IGNORED
            logits = model(batch.visual, batch.audio).logits
            found.append((logits[scored].float().cpu(), batch.targets[scored].cpu()))
    return torch.cat([logits for logits, _ in found]), torch.cat([t for _, t in found])
