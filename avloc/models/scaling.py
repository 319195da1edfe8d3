"""A fixed affine map before a model's first layer."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear


class Scaling(nn.Module):
    """A fixed affine map a channel, ``(x - mean) / scale``; the identity until it is fitted.

    No paper has it. The first layers of every model are affine, so it changes the conditioning of
    training, not what the model can express.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_channels))
        self.register_buffer("scale", torch.ones(n_channels))

    @property
    def n_channels(self) -> int:
        """D."""
        return len(self.mean)

    def fit(self, mean: Float[Tensor, " D"], deviation: Float[Tensor, " D"]) -> None:
        """Take a training set's moments; no channel's scale is below a tenth of their average."""
        self.mean.copy_(mean)
        floor = 0.1 * deviation.mean()
        self.scale.copy_(deviation.clamp_min(floor) if floor > 0 else torch.ones_like(deviation))

    def forward(self, x: Float[Tensor, "*B D"]) -> Float[Tensor, "*B D"]:
        """Scale the last dimension."""
        return (x - self.mean) * self.scale.reciprocal()

    def linear(self, layer: nn.Linear, x: Float[Tensor, "*B D"]) -> Float[Tensor, "*B K"]:
        """Return ``layer(self(x))`` with the scaling in the layer's weights: x is never copied."""
        weight = layer.weight * self.scale.reciprocal()
        return linear(x, weight, layer.bias - weight @ self.mean)
