"""What every model answers with."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class ModelOutput:
    """Logits, and all that a reader would want to see of how they came about.

    A field is None when the model, as configured, has no such thing.

    Attributes:
        logits: (B, T, C), background last.
        attention: (B, T, H, W) where: weights over the picture, each segment summing to 1.
        self_attention_visual: (B, T, T) when: the weights segment t gives to each segment.
        self_attention_audio: (B, T, T) the same for the audio stream.
        gate_visual: (B, T) which: the visual stream's sentinel gate, as it entered eq. 5.
        gate_audio: (B, T) the audio stream's.
        co_attention_visual: (B, T, T) the weights the visual stream's segment t gives to each
            segment of the audio (alpha of eq. 7).
        co_attention_audio: (B, T, T) those the audio stream gives to the visual.
    """

    logits: Float[Tensor, "B T C"]
    attention: Float[Tensor, "B T H W"] | None = None
    self_attention_visual: Float[Tensor, "B T T"] | None = None
    self_attention_audio: Float[Tensor, "B T T"] | None = None
    gate_visual: Float[Tensor, "B T"] | None = None
    gate_audio: Float[Tensor, "B T"] | None = None
    co_attention_visual: Float[Tensor, "B T T"] | None = None
    co_attention_audio: Float[Tensor, "B T T"] | None = None
