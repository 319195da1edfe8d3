"""CAM: no attention; a map of the regions that speak for the class, on AVEL's streams (table 2).

Owens & Efros, Audio-visual scene analysis with self-supervised multisensory features, ECCV 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from avloc.devices import moved
from avloc.models.avel import TwoStreams, classifier
from avloc.models.model import Model, ModelOptions, ModelOutput
from avloc.models.real_segments import Real, run_lstm
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
    class's weights (Grad-CAM, Selvaraju et al., ICCV 2017). It is that of a segment's strongest
    event class to the segment's own picture: other segments do not shape its map. Through an LSTM
    that path is one step long, so all maps cost one more forward pass and a short backward pass.
    """

    Config: ClassVar[type[CAMConfig]] = CAMConfig

    def __init__(self, options: CAMConfig) -> None:
        super().__init__(options)
        self.streams = TwoStreams(options.visual_channels, options.audio_channels, options.width)
        self.head = classifier(4 * options.width, options.head_width, options.n_classes)

    @property
    def uses_mean_picture(self) -> bool:
        """Always."""
        return True

    def forward(
        self,
        visual: Float[Tensor, "B T H W Dv"],
        audio: Float[Tensor, "B T Da"],
        real: Real = None,
    ) -> ModelOutput:
        """Score every segment of B windows; the map is computed in evaluation mode only."""
        audio = self.scale_audio(audio)
        picture, _ = self.pool_regions(None, visual, audio)
        activation = None if self.training else self._activation(visual, picture, audio, real)
        return ModelOutput(logits=self._score(picture, audio, real), attention=activation)

    def _score(
        self, picture: Float[Tensor, "B T Dv"], audio: Float[Tensor, "B T Da"], real: Real = None
    ) -> Float[Tensor, "B T K"]:
        logits: Tensor = self.head(torch.cat(self.streams(picture, audio, real), dim=-1))
        return logits

    def _score_alone(
        self, picture: Float[Tensor, "B T Dv"], audio: Float[Tensor, "B T Da"], real: Real
    ) -> Float[Tensor, "B T K"]:
        """Return the same logits; the gradient of a segment's reaches its own picture only."""
        states_a, _ = run_lstm(self.streams.audio, audio, real)
        states_v = _states_alone(self.streams.visual, picture, real)
        logits: Tensor = self.head(torch.cat([states_v, states_a], dim=-1))
        return logits

    def _activation(
        self,
        visual: Float[Tensor, "B T H W Dv"],
        picture: Float[Tensor, "B T Dv"],
        audio: Float[Tensor, "B T Da"],
        real: Real,
    ) -> Float[Tensor, "B T H W"]:
        """Return the class activation map, its positive part scaled to sum to 1."""
        with torch.inference_mode(False), torch.enable_grad():
            pooled = picture.clone().requires_grad_()
            scores = self._score_alone(pooled, audio.clone(), real)
            labels = scores if self._options.independent else scores[..., :-1]
            strongest = labels.max(dim=-1).values
            (weights,) = torch.autograd.grad(strongest.sum(), pooled)
        weights = weights / self.scale_visual.scale  # of the scaled picture, on the map as it is
        activation = torch.einsum("bthwd,btd->bthw", visual - self.scale_visual.mean, weights)
        positive = activation.relu() + _LEAST
        return positive / positive.sum(dim=(2, 3), keepdim=True)


def _states_alone(
    lstm: nn.LSTM, inputs: Float[Tensor, "B T D"], real: Real
) -> Float[Tensor, "B T S"]:
    """Return the states of both directions; what a step takes from its neighbour is constant."""
    directions = []
    marks = torch.ones_like(inputs[..., 0]) if real is None else moved(real, inputs.device)
    steps = list(zip(inputs.unbind(1), marks.unsqueeze(-1).unbind(1), strict=True))
    for suffix, ordered in (("", steps), ("_reverse", steps[::-1])):
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        parameters = [getattr(lstm, name + suffix) for name in names]
        hidden = cell = inputs.new_zeros(len(inputs), lstm.hidden_size)
        states = []
        for step, is_real in ordered:
            before = hidden.detach(), cell.detach()
            hidden, cell = torch.lstm_cell(step, before, *parameters)
            hidden, cell = hidden * is_real, cell * is_real  # padding leaves no memory
            states.append(hidden)
        directions.append(torch.stack(states if not suffix else states[::-1], dim=1))
    return torch.cat(directions, dim=-1)
