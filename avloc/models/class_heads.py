"""The heads of pretrained encoders: an embedding to the logits of the classes that it knows."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import hardswish, linear, normalize, relu6

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"hardswish": hardswish, "relu6": relu6}
HEADS = ("none", "tagger", "softmax", "contrastive")
"""None; classes that may occur together; classes that exclude each other; texts."""


class ClassHead(nn.Module):
    """Embeddings to scores of K classes.

    A picture has an embedding in each cell: `embed` works on cells, and the picture's logits are
    `classify` of the cells' mean.
    """

    def embed(self, x: Float[Tensor, "*B D"]) -> Float[Tensor, "*B E"]:
        """Return what is averaged over the cells of a picture."""
        return x

    def classify(self, embedded: Float[Tensor, "*B E"]) -> Float[Tensor, "*B K"]:
        """Return logits."""
        raise NotImplementedError

    def scores(self, logits: Float[Tensor, "*B K"]) -> Float[Tensor, "*B K"]:
        """Return what stands for each class's log-probability, up to a constant."""
        return logits

    def forward(self, x: Float[Tensor, "*B D"]) -> Float[Tensor, "*B K"]:
        """Return the scores of single embeddings."""
        return self.scores(self.classify(self.embed(x)))


class TaggerHead(ClassHead):
    """Two linear layers of a classifier: D to a hidden width E, and that to K classes.

    Args:
        n_channels: D.
        width: E.
        n_classes: K.
        activation: of the hidden layer, one of `ACTIVATIONS`.
        is_softmax: the classes exclude each other, as ImageNet's do.
    """

    def __init__(
        self, n_channels: int, width: int, n_classes: int, activation: str, *, is_softmax: bool
    ) -> None:
        super().__init__()
        self.hidden, self.output = nn.Linear(n_channels, width), nn.Linear(width, n_classes)
        self._activation, self._is_softmax = ACTIVATIONS[activation], is_softmax

    def embed(self, x: Float[Tensor, "*B D"]) -> Float[Tensor, "*B E"]:
        """Return the hidden layer."""
        return self._activation(self.hidden(x))

    def classify(self, embedded: Float[Tensor, "*B E"]) -> Float[Tensor, "*B K"]:
        """Return the classifier's logits."""
        logits: Tensor = self.output(embedded)
        return logits

    def scores(self, logits: Float[Tensor, "*B K"]) -> Float[Tensor, "*B K"]:
        """Return log-probabilities where classes exclude each other, else the logits."""
        return logits.log_softmax(dim=-1) if self._is_softmax else logits


class ContrastiveHead(ClassHead):
    """A text embedding for each class; the cosine with it, times a scale, plus a bias.

    Args:
        n_channels: D of the embeddings of pictures, sounds and texts.
        n_classes: K texts.
    """

    texts: Tensor
    scale: Tensor
    bias: Tensor

    def __init__(self, n_channels: int, n_classes: int) -> None:
        super().__init__()
        self.register_buffer("texts", torch.zeros(n_classes, n_channels))
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("bias", torch.zeros(()))

    def classify(self, embedded: Float[Tensor, "*B D"]) -> Float[Tensor, "*B K"]:
        """Return the scaled cosines."""
        directions = normalize(embedded, dim=-1), normalize(self.texts, dim=-1)
        return linear(*directions) * self.scale + self.bias


def make_head(
    kind: str, n_channels: int, width: int, n_classes: int, activation: str
) -> ClassHead | None:
    """Return an empty head of one of `HEADS`; None for ``none``."""
    if kind == "none":
        return None
    if kind == "contrastive":
        return ContrastiveHead(n_channels, n_classes)
    return TaggerHead(n_channels, width, n_classes, activation, is_softmax=kind == "softmax")
