"""AVSDN: a sequence-to-sequence network of two encoders and one decoder.

Lin, Li & Wang, Dual-modality seq2seq network for audio-visual event localization, ICASSP 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from avloc.models.avel import AdditiveAttention, classifier
from avloc.models.model import Model, ModelOptions, ModelOutput
from avloc.models.real_segments import Real, run_lstm
from avloc.options import option


@dataclass(frozen=True)
class AVSDNConfig(ModelOptions):
    """Every option of AVSDN."""

    where: bool = option(
        True, help="AVEL's audio-guided attention; otherwise the mean over the picture"
    )
    attention_width: int = option(512, help="output width of its U_v and U_a", minimum=1)
    score_width: int = option(49, help="output width of its W_1 and W_2", minimum=1)
    width: int = option(128, help="hidden units per direction of each encoder", minimum=1)
    decoder_width: int = option(256, help="hidden units of the decoder [choice]", minimum=1)
    head_width: int = option(64, help="hidden width of the head", minimum=1)


class AVSDN(Model):
    """Two encoders read the whole window; the decoder then reads segment by segment.

    The encoders' last states and memories are mapped to the decoder's first.
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

    @property
    def uses_mean_picture(self) -> bool:
        """Without the spatial attention."""
        return self.where is None

    def forward(
        self,
        visual: Float[Tensor, "B T H W Dv"],
        audio: Float[Tensor, "B T Da"],
        real: Real = None,
    ) -> ModelOutput:
        """Score every segment of B windows."""
        audio = self.scale_audio(audio)
        picture, attention = self.pool_regions(self.where, visual, audio)
        _, (state_v, memory_v) = run_lstm(self.visual, picture, real)
        _, (state_a, memory_a) = run_lstm(self.audio, audio, real)
        state = torch.tanh(self.first_state(torch.cat([*state_v, *state_a], dim=-1)))
        memory = self.first_memory(torch.cat([*memory_v, *memory_a], dim=-1))
        segments = torch.cat([picture, audio], dim=-1)
        # Forwards only: padding comes after all that is real.
        states, _ = self.decoder(segments, (state.unsqueeze(0), memory.unsqueeze(0)))
        return ModelOutput(logits=self.head(states), attention=attention)
