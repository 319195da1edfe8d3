"""CAM: no attention; the map is what in the picture spoke for the class.

The multisensory network's class activation map (Owens & Efros, Audio-visual scene analysis with
self-supervised multisensory features, ECCV 2018) on AVEL's streams, as the paper's table 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from avloc.models.model import Model, ModelOptions
from avloc.models.output import ModelOutput
from avloc.models.two_streams import TwoStreams, classifier
from avloc.options import option

_LEAST = 1e-12


@dataclass(frozen=True)
class CAMConfig(ModelOptions):
    """Every option of CAM."""

    width: int = option(128, help="hidden units a direction of each LSTM", minimum=1)
    head_width: int = option(64, help="the head's hidden width", minimum=1)


class CAM(Model):
    """AVEL with the mean over the picture, and a map that comes after the answer.

    Between map and class lie LSTMs here, so a class has no fixed weights: a gradient to the
    pooled picture takes their place (Grad-CAM, Selvaraju et al., ICCV 2017, which is CAM where
    a class is linear in the pooled picture). It is the gradient of the strongest event class
    of every segment, added up over all segments: through the LSTMs, a segment's map shows what
    spoke for the answers of the other segments too.
    """

    Config: ClassVar[type[CAMConfig]] = CAMConfig

    def __init__(self, options: CAMConfig) -> None:
        super().__init__(options)
        self.streams = TwoStreams(options.visual_channels, options.audio_channels, options.width)
        self.head = classifier(4 * options.width, options.head_width, options.n_classes)

    def forward(
        self, visual: Float[Tensor, "B T H W Dv"], audio: Float[Tensor, "B T Da"]
    ) -> ModelOutput:
        """Score every segment of B windows; the map is computed in evaluation mode only.

        Args:
            visual: the visual maps as extracted.
            audio: the audio vectors as extracted.
        """
        audio = self.scale_audio(audio)
        picture, _ = self.look(None, visual, audio)
        logits = self._score(picture, audio)
        return ModelOutput(
            logits=logits,
            attention=None if self.training else self._activation(visual, picture, audio),
        )

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
            seen = picture.clone().requires_grad_()
            strongest = self._score(seen, audio.clone())[..., :-1].max(dim=-1).values
            (weights,) = torch.autograd.grad(strongest.sum(), seen)
        weights = weights / self.scale_visual.scale  # of the scaled picture, on the map as it is
        activation = torch.einsum("bthwd,btd->bthw", visual - self.scale_visual.mean, weights)
        positive = activation.relu() + _LEAST
        return positive / positive.sum(dim=(2, 3), keepdim=True)
