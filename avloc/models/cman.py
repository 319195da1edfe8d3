"""CMAN: where, when and which to attend for audio-visual event localization.

Xuan et al., Cross-modal attention network for temporal inconsistent audio-visual event
localization, AAAI 2020. Each option marked [choice] is a detail that the paper leaves open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from avloc.errors import UsageError
from avloc.models.attention import GlobalContextSelfAttention, SpatialAttention
from avloc.models.co_attention import SentinelCoAttention, StreamStates
from avloc.models.model import Model, ModelOptions, ModelOutput
from avloc.models.real_segments import Real
from avloc.models.sentinel import SentinelLSTM
from avloc.options import option


@dataclass(frozen=True)
class CMANConfig(ModelOptions):
    """Every option of CMAN; the rows of the paper's tables 1 and 2 are values of these."""

    modalities: str = option(
        "both", help="the features it uses", choices=("both", "audio", "visual")
    )
    where: bool = option(True, help="spatial attention; otherwise the mean over the picture")
    when: bool = option(True, help="self-attention over the segments of a modality")
    which: bool = option(True, help="co-attention between the modalities")
    global_context: bool = option(True, help="the global context in queries and keys (eq. 2)")
    sentinel: bool = option(True, help="the sentinel and its gate (eq. 4, 5 and 8)")
    width: int = option(256, help="D, the model's width [choice]; even", minimum=2)
    temperature: float = option(
        5.0,
        help="tau of the spatial attention, or its initial value [choice]; 10 suits the cosine",
        minimum=1e-3,
    )
    temperature_learnable: bool = option(True, help="tau is trained [choice]; otherwise fixed")
    similarity: str = option(
        "projection",
        help="between a region and the sound [choice]: the region's projection on the sound's "
        "direction, or their cosine as in the paper, which ignores the region's length",
        choices=("projection", "cosine"),
    )
    rectified: bool = option(
        True, help="regions and sound pass a relu before they are compared [choice]"
    )
    input_map: bool = option(
        True, help="a linear map of the features to D precedes the self-attention [choice]"
    )
    residual: bool = option(True, help="the self-attention adds its input [choice]")
    dropout: float = option(
        0.1, help="on the attended values of the self-attention", minimum=0.0, maximum=0.95
    )
    bidirectional: bool = option(True, help="LSTMs read both ways, not only forwards [choice]")
    memory: str = option(
        "attended",
        help="what the co-attention attends to in the other modality [choice]: the output of "
        "the self-attention, of the LSTM, or the mapped features",
        choices=("attended", "lstm", "raw"),
    )
    gate: str = option(
        "softmax",
        help="the two gates of a segment pass a softmax before use, or enter eq. 5 raw [choice]",
        choices=("softmax", "raw"),
    )
    head_width: int = option(64, help="hidden width of the head", minimum=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % 2:
            raise UsageError(f"width is {self.width}", "It must be even: two directions share it.")
        if self.modalities != "both" and (self.where or self.which):
            raise UsageError(
                f"a model of {self.modalities} alone has no spatial attention and no co-attention",
                "Set where=false and which=false too.",
            )
        if not self.input_map and (not self.when or self.residual or self.memory == "raw"):
            raise UsageError(
                "without input_map the features keep their own width until the self-attention",
                "Set when=true, residual=false and a memory other than raw.",
            )


class CMAN(Model):
    """The network of the paper's figure 2.

    Removing a module keeps the layers around it ("all models have the same setting"). A model of
    one modality keeps that modality's stream and the head.
    """

    Config: ClassVar[type[CMANConfig]] = CMANConfig

    def __init__(self, options: CMANConfig) -> None:
        super().__init__(options)
        n_visual, n_audio, width = options.visual_channels, options.audio_channels, options.width
        self.where = (
            SpatialAttention(
                n_visual,
                n_audio,
                width,
                options.temperature,
                options.temperature_learnable,
                options.rectified,
                options.similarity,
            )
            if options.where
            else None
        )
        self.visual = _Stream(options, n_visual) if options.modalities != "audio" else None
        self.audio = _Stream(options, n_audio) if options.modalities != "visual" else None
        self.which = (
            SentinelCoAttention(
                width,
                has_sentinel=options.sentinel,
                is_gate_normalized=options.gate == "softmax",
            )
            if options.which
            else None
        )
        n_streams = 2 if options.modalities == "both" else 1
        self.head = nn.Sequential(
            nn.Linear(n_streams * width, options.head_width),
            nn.ReLU(),
            nn.Linear(options.head_width, options.n_classes),
        )

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
        stream_v, when_v = self.visual(picture, real) if self.visual is not None else (None, None)
        stream_a, when_a = self.audio(audio, real) if self.audio is not None else (None, None)
        streams = (stream_v, stream_a)
        co_v, co_a = self.which(*streams, real) if self.which is not None else (None, None)
        streams = (co_v or stream_v, co_a or stream_a)
        logits = self.head(torch.cat([s.states for s in streams if s is not None], dim=-1))
        return ModelOutput(
            logits=logits,
            attention=attention,
            self_attention_visual=when_v,
            self_attention_audio=when_a,
            gate_visual=co_v.gate if co_v else None,
            gate_audio=co_a.gate if co_a else None,
            co_attention_visual=co_v.weights if co_v else None,
            co_attention_audio=co_a.weights if co_a else None,
        )


class _Stream(nn.Module):
    """One modality: linear map, self-attention, sentinel LSTM."""

    def __init__(self, options: CMANConfig, n_channels: int) -> None:
        super().__init__()
        self.memory, width = options.memory, options.width
        self.map = nn.Linear(n_channels, width) if options.input_map else nn.Identity()
        self.when = (
            GlobalContextSelfAttention(
                width if options.input_map else n_channels,
                width,
                has_context=options.global_context,
                is_residual=options.residual,
                dropout=options.dropout,
            )
            if options.when
            else None
        )
        self.lstm = SentinelLSTM(
            width,
            width,
            is_bidirectional=options.bidirectional,
            has_sentinel=options.which and options.sentinel,
        )

    def forward(
        self, features: Float[Tensor, "B T Df"], real: Real
    ) -> tuple[StreamStates, Float[Tensor, "B T T"] | None]:
        """Return what goes into the co-attention, and the weights of the self-attention."""
        raw = self.map(features)
        attended, weights = self.when(raw, real) if self.when is not None else (raw, None)
        states, sentinels = self.lstm(attended, real)
        memory = {"attended": attended, "lstm": states, "raw": raw}[self.memory]
        return StreamStates(states, sentinels, memory), weights
