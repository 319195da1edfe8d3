"""AVEL: audio-guided visual attention, two BiLSTMs, and fusion by concatenation or DMRN.

Tian et al., Audio-visual event localization in unconstrained videos, ECCV 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from avloc.models.model import Model, ModelOptions, ModelOutput
from avloc.models.real_segments import Real, run_lstm
from avloc.models.scaling import Scaling
from avloc.options import option


@dataclass(frozen=True)
class AVELConfig(ModelOptions):
    """Every option of AVEL; the widths are those of its authors' code."""

    where: bool = option(True, help="audio-guided attention; otherwise the mean over the picture")
    fusion: str = option(
        "concat",
        help="how the two streams are fused: concatenated, or by the dual multimodal residual "
        "network",
        choices=("concat", "dmrn"),
    )
    attention_width: int = option(512, help="output width of U_v and U_a", minimum=1)
    score_width: int = option(49, help="output width of W_1 and W_2", minimum=1)
    width: int = option(128, help="hidden units per direction of each LSTM", minimum=1)
    head_width: int = option(64, help="hidden width of the head", minimum=1)


class AVEL(Model):
    """The supervised network of the paper's figure 3, and its DMRN variant."""

    Config: ClassVar[type[AVELConfig]] = AVELConfig

    def __init__(self, options: AVELConfig) -> None:
        super().__init__(options)
        n_visual, n_audio = options.visual_channels, options.audio_channels
        self.where = (
            AdditiveAttention(n_visual, n_audio, options.attention_width, options.score_width)
            if options.where
            else None
        )
        self.streams = TwoStreams(n_visual, n_audio, options.width)
        n_states = 2 * options.width
        is_dmrn = options.fusion == "dmrn"
        self.fusion = DualResidualFusion(n_states) if is_dmrn else None
        n_fused = n_states if is_dmrn else 2 * n_states
        self.head = classifier(n_fused, options.head_width, options.n_classes)

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
        states_v, states_a = self.streams(picture, audio, real)
        if self.fusion is None:
            fused = torch.cat([states_v, states_a], dim=-1)
        else:
            fused = self.fusion(states_v, states_a)
        return ModelOutput(logits=self.head(fused), attention=attention)


class AdditiveAttention(nn.Module):
    """The sound scores the regions: ``w^T tanh(W_1 relu(U_v v_i) + W_2 relu(U_a a))``."""

    def __init__(
        self, visual_channels: int, audio_channels: int, width: int, score_width: int
    ) -> None:
        super().__init__()
        self.visual = nn.Linear(visual_channels, width)  # U_v
        self.audio = nn.Linear(audio_channels, width)  # U_a
        self.from_visual = nn.Linear(width, score_width, bias=False)  # W_1
        self.from_audio = nn.Linear(width, score_width, bias=False)  # W_2
        self.score = nn.Linear(score_width, 1, bias=False)  # w

    def forward(
        self,
        visual: Float[Tensor, "B T N Dv"],
        audio: Float[Tensor, "B T Da"],
        scaling: Scaling,
    ) -> Float[Tensor, "B T N"]:
        """Return weights that sum to 1 over the regions."""
        regions = self.from_visual(scaling.linear(self.visual, visual).relu())
        sound = self.from_audio(self.audio(audio).relu())
        scores: Tensor = self.score(torch.tanh(regions + sound.unsqueeze(2))).squeeze(-1)
        return scores.softmax(dim=-1)


class DualResidualFusion(nn.Module):
    """DMRN: the mean of ``tanh(h_a + f)`` and ``tanh(h_v + f)``; f is that of both projections."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.visual = nn.Linear(n_channels, n_channels)
        self.audio = nn.Linear(n_channels, n_channels)

    def forward(
        self, states_v: Float[Tensor, "B T D"], states_a: Float[Tensor, "B T D"]
    ) -> Float[Tensor, "B T D"]:
        """Return the fused states."""
        shared = (self.visual(states_v) + self.audio(states_a)) / 2
        return (torch.tanh(states_v + shared) + torch.tanh(states_a + shared)) / 2


class TwoStreams(nn.Module):
    """A bidirectional LSTM for each modality, of so many hidden units a direction."""

    def __init__(self, visual_channels: int, audio_channels: int, width: int) -> None:
        super().__init__()
        self.visual = nn.LSTM(visual_channels, width, batch_first=True, bidirectional=True)
        self.audio = nn.LSTM(audio_channels, width, batch_first=True, bidirectional=True)

    def forward(
        self,
        picture: Float[Tensor, "B T Dv"],
        sound: Float[Tensor, "B T Da"],
        real: Real = None,
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T D"]]:
        """Return the states of both."""
        return run_lstm(self.visual, picture, real)[0], run_lstm(self.audio, sound, real)[0]


def classifier(n_channels: int, width: int, n_classes: int) -> nn.Sequential:
    """Return the head of Tian et al.: relu, linear, relu, linear."""
    return nn.Sequential(
        nn.ReLU(), nn.Linear(n_channels, width), nn.ReLU(), nn.Linear(width, n_classes)
    )
