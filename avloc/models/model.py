"""What the training loop, evaluation and localization may ask of any model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from avloc.models.output import ModelOutput


class Scaling(nn.Module):
    """A fixed affine map a channel, ``(x - mean) / scale``; the identity until it is fitted.

    It is no part of any paper. Every model's first layers are affine, so it changes where
    training starts and how it is conditioned, not what the model can express.
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
        """Take a training set's statistics.

        Args:
            mean: a channel's mean.
            deviation: a channel's standard deviation. A channel that hardly varies keeps a
                scale of a tenth of the average deviation: noise is not blown up.
        """
        self.mean.copy_(mean)
        floor = 0.1 * deviation.mean()
        self.scale.copy_(deviation.clamp_min(floor) if floor > 0 else torch.ones_like(deviation))

    def forward(self, x: Float[Tensor, "*B D"]) -> Float[Tensor, "*B D"]:
        """Scale the last dimension."""
        return (x - self.mean) * self.scale.reciprocal()


class Model(nn.Module):
    """Features in, logits per segment out; any B, T, H and W.

    Args:
        options: an instance of the class's ``Config``.
        visual_channels: Dv.
        audio_channels: Da.

    Attributes:
        scale_visual: applied to the visual maps first, and
        scale_audio: to the audio vectors.
    """

    Config: ClassVar[type[Any]]

    if TYPE_CHECKING:
        __call__: Callable[..., ModelOutput]

    def __init__(self, options: Any, visual_channels: int, audio_channels: int):
        super().__init__()
        self._options = options
        self.scale_visual = Scaling(visual_channels)
        self.scale_audio = Scaling(audio_channels)

    @property
    def config(self) -> dict[str, object]:
        """The options that `build` takes to make this model again."""
        return asdict(self._options)

    @property
    def modalities(self) -> str:
        """Which features it looks at: ``both``, ``audio`` or ``visual``."""
        return str(getattr(self._options, "modalities", "both"))

    @abstractmethod
    def forward(
        self, visual: Float[Tensor, "B T H W Dv"], audio: Float[Tensor, "B T Da"]
    ) -> ModelOutput:
        """Score every segment."""
