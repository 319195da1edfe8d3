"""What a model is asked to get right, by the kind of supervision."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from avloc.datasets.batches import IGNORED

Loss = Callable[[Tensor, Tensor], Tensor]


def segment_cross_entropy(
    logits: Float[Tensor, "B T C"], targets: Int[Tensor, "B T"]
) -> Float[Tensor, ""]:
    """Full supervision: cross-entropy over C classes, the mean over all scored segments."""
    return cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)


LOSSES: dict[str, Loss] = {"full": segment_cross_entropy}
"""The loss of each kind of supervision."""
