"""CAM: no attention; a map of the regions that speak for the class, on AVEL's streams (table 2).

Owens & Efros, Audio-visual scene analysis with self-supervised multisensory features, ECCV 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from avloc.models.avel import TwoStreams, classifier
from avloc.models.model import Model, ModelOptions, ModelOutput
from avloc.options import option

_LEAST = 1e-12


@dataclass(frozen=True)
class CAMConfig(ModelOptions):
    """Every option of CAM."""

    width: int = option(128, help="hidden units per direction of each LSTM", minimum=1)
    head_width: int = option(64, help="hidden width of the head", minimum=1)


class CAM(Model):
    """AVEL with the mean over the picture, and a map that is computed from the answer.

    With LSTMs between map and class, a gradient to the pooled picture takes the place of the
    class's weights (Grad-CAM, Selvaraju et al., ICCV 2017). It is that of the sum over all
    segments of the strongest event class, so other segments shape a map too.
    """

    Config: ClassVar[type[CAMConfig]] = CAMConfig

    def __init__(self, options: CAMConfig) -> None:
        super().__init__(options)
        self.streams = TwoStreams(options.visual_channels, options.audio_channels, options.width)
        self.head = classifier(4 * options.width, options.head_width, options.n_classes)

    def forward(
        self, visual: Float[Tensor, "B T H W Dv"], audio: Float[Tensor, "B T Da"]
    ) -> ModelOutput:
        """Score every segment of B windows; the map is computed in evaluation mode only."""
        audio = self.scale_audio(audio)
        picture, _ = self.pool_regions(None, visual, audio)
        activation = None if self.training else self._activation(visual, picture, audio)
        return ModelOutput(logits=self._score(picture, audio), attention=activation)

    def _score(
        self, picture: Float[Tensor, "B T Dv"], audio: Float[Tensor, "B T Da"]
    ) -> Float[Tensor, "B T C"]:
        logits: Tensor = self.head(torch.cat(self.streams(picture, audio), dim=-1))
        return logits

    def _activation(
        self,
        visual: Float[Tensor, "B T H W Dv"],
        picture: Float[Tensor, "B T Dv"],
        audio: Float[Tensor, "B T Da"],
    ) -> Float[Tensor, "B T H W"]:
        """Return the class activation map, its positive part scaled to sum to 1."""
        # cuDNN's LSTM has no gradient in evaluation mode
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.backends.cudnn.flags(enabled=False),
        ):
            pooled = picture.clone().requires_grad_()
            scores = self._score(pooled, audio.clone())
            labels = scores if self._options.independent else scores[..., :-1]
            strongest = labels.max(dim=-1).values
            (weights,) = torch.autograd.grad(strongest.sum(), pooled)
        weights = weights / self.scale_visual.scale  # of the scaled picture, on the map as it is
        activation = torch.einsum("bthwd,btd->bthw", visual - self.scale_visual.mean, weights)
        positive = activation.relu() + _LEAST
        return positive / positive.sum(dim=(2, 3), keepdim=True)
