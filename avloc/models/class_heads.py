"""The heads of pretrained encoders: an embedding to the logits of the classes that it knows."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import hardswish, linear, relu6

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
    """A text embedding for each class; an embedding's product with it, times a scale.

    Products are compared within a segment: how far above those of a bank of ordinary words.

    Args:
        n_channels: D of the embeddings of pictures, sounds and texts.
        n_classes: K texts, the bank's last.
        n_bank: the bank's words.
    """

    texts: Tensor
    scale: Tensor

    def __init__(self, n_channels: int, n_classes: int, n_bank: int) -> None:
        super().__init__()
        self.register_buffer("texts", torch.zeros(n_classes, n_channels))
        self.register_buffer("scale", torch.ones(()))
        self._n_bank = n_bank

    def classify(self, embedded: Float[Tensor, "*B D"]) -> Float[Tensor, "*B K"]:
        """Return the scaled products."""
        return linear(embedded, self.texts) * self.scale

    def scores(self, logits: Float[Tensor, "*B K"]) -> Float[Tensor, "*B K"]:
        """Return how many deviations each product is above the bank's mean."""
        bank = logits[..., -self._n_bank :]
        deviation = bank.std(dim=-1, keepdim=True).clamp(min=1e-6)
        return (logits - bank.mean(dim=-1, keepdim=True)) / deviation


def make_head(
    kind: str, n_channels: int, width: int, n_classes: int, activation: str
) -> ClassHead | None:
    """Return an empty head of one of `HEADS`; None for ``none``.

    The width is a classifier's hidden channels, or how many words are in a bank.
    """
    if kind == "none":
        return None
    if kind == "contrastive":
        return ContrastiveHead(n_channels, n_classes, width)
    return TaggerHead(n_channels, width, n_classes, activation, is_softmax=kind == "softmax")
