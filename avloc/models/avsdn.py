"""AVSDN: a sequence-to-sequence network of two encoders and one decoder.

Lin, Li & Wang, Dual-modality seq2seq network for audio-visual event localization, ICASSP 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from avloc.models.avel import AdditiveAttention
from avloc.models.model import Model, ModelOptions
from avloc.models.output import ModelOutput
from avloc.models.two_streams import classifier
from avloc.options import option


@dataclass(frozen=True)
class AVSDNConfig(ModelOptions):
    """Every option of AVSDN."""

    where: bool = option(
        True, help="AVEL's audio-guided attention; otherwise the mean over the picture"
    )
    attention_width: int = option(512, help="of that attention's U_v and U_a", minimum=1)
    score_width: int = option(49, help="of that attention's W_1 and W_2", minimum=1)
    width: int = option(128, help="hidden units a direction of each encoder", minimum=1)
    decoder_width: int = option(256, help="hidden units of the decoder [choice]", minimum=1)
    head_width: int = option(64, help="the head's hidden width", minimum=1)


class AVSDN(Model):
    """Encoders read the whole; the decoder begins with what they made of it.

    The encoders' last states (and memories) of both modalities and directions, side by side
    and mapped, are the decoder's first; at segment t it is given that segment's picture and
    sound, so that each answer has the whole and the moment.
    """

    Config: ClassVar[type[AVSDNConfig]] = AVSDNConfig

    def __init__(self, options: AVSDNConfig) -> None:
        super().__init__(options)
        n_visual, n_audio = options.visual_channels, options.audio_channels
        self.where = (
            AdditiveAttention(n_visual, n_audio, options.attention_width, options.score_width)
            if options.where
            else None
        )
        self.visual = nn.LSTM(n_visual, options.width, batch_first=True, bidirectional=True)
        self.audio = nn.LSTM(n_audio, options.width, batch_first=True, bidirectional=True)
        self.first_state = nn.Linear(4 * options.width, options.decoder_width)
        self.first_memory = nn.Linear(4 * options.width, options.decoder_width)
        self.decoder = nn.LSTM(n_visual + n_audio, options.decoder_width, batch_first=True)
        self.head = classifier(options.decoder_width, options.head_width, options.n_classes)

    def forward(
        self, visual: Float[Tensor, "B T H W Dv"], audio: Float[Tensor, "B T Da"]
    ) -> ModelOutput:
        """Score every segment of B windows.

        Args:
            visual: the visual maps as extracted.
            audio: the audio vectors as extracted.
        """
        audio = self.scale_audio(audio)
        picture, attention = self.look(self.where, visual, audio)
        _, (state_v, memory_v) = self.visual(picture)
        _, (state_a, memory_a) = self.audio(audio)
        state = torch.tanh(self.first_state(_side_by_side(state_v, state_a)))
        memory = self.first_memory(_side_by_side(memory_v, memory_a))
        moments = torch.cat([picture, audio], dim=-1)
        states, _ = self.decoder(moments, (state.unsqueeze(0), memory.unsqueeze(0)))
        return ModelOutput(logits=self.head(states), attention=attention)


def _side_by_side(
    visual: Float[Tensor, "2 B D"], audio: Float[Tensor, "2 B D"]
) -> Float[Tensor, "B D4"]:
    return torch.cat([*visual, *audio], dim=-1)
