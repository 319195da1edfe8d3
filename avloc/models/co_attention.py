"""Which: the cross-modal adaptive co-attention with its sentinel gates (eq. 5-8)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from avloc.models.real_segments import Real, without_padding


@dataclass(frozen=True)
class StreamStates:
    """One modality before the co-attention."""

    states: Float[Tensor, "B T D"]  # h of the LSTM
    sentinels: Float[Tensor, "B T D"] | None  # s of the LSTM
    memory: Float[Tensor, "B T D"]  # what the other modality attends to


@dataclass(frozen=True)
class CoAttended:
    """One modality after the co-attention."""

    states: Float[Tensor, "B T D"]  # h^ of eq. 5
    weights: Float[Tensor, "B T T"]  # alpha of eq. 7, over the other modality's segments
    gate: Float[Tensor, "B T"] | None  # beta as it entered eq. 5; None without sentinels


class SentinelCoAttention(nn.Module):
    """Each stream attends to the other's segments, or to its own sentinel.

    Without a sentinel there is no gate (table 2, "our model - sentinel vector"). Normalized, the
    two gates of a segment pass a softmax before use, so both lie in [0.269, 0.731].
    """

    def __init__(self, width: int, *, has_sentinel: bool, is_gate_normalized: bool) -> None:
        super().__init__()
        self.visual = _OneWay(width, has_sentinel)
        self.audio = _OneWay(width, has_sentinel)
        self.is_gate_normalized = is_gate_normalized

    def forward(
        self, visual: StreamStates, audio: StreamStates, real: Real = None
    ) -> tuple[CoAttended, CoAttended]:
        """Return the visual and the audio stream after they attended to each other."""
        context_v, weights_v, gate_v = self.visual(visual, audio.memory, real)
        context_a, weights_a, gate_a = self.audio(audio, visual.memory, real)
        if gate_v is not None and gate_a is not None and self.is_gate_normalized:
            gate_v, gate_a = torch.stack([gate_v, gate_a]).softmax(dim=0)
        return (
            CoAttended(_adapted(visual, context_v, gate_v), weights_v, gate_v),
            CoAttended(_adapted(audio, context_a, gate_a), weights_a, gate_a),
        )


class _OneWay(nn.Module):
    """One stream attends to the other: scores, weights, context and a gate (eq. 6-8)."""

    def __init__(self, width: int, has_sentinel: bool) -> None:
        super().__init__()
        self.memory = nn.Linear(width, width, bias=False)  # W_a
        self.state = nn.Linear(width, width, bias=False)  # W_g, of (7) and (8)
        self.score = nn.Linear(width, 1, bias=False)  # w_h, of (7) and (8)
        self.sentinel = nn.Linear(width, width, bias=False) if has_sentinel else None  # W_s

    def forward(
        self, stream: StreamStates, memory: Float[Tensor, "B T D"], real: Real
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T T"], Float[Tensor, "B T"] | None]:
        state = self.state(stream.states)
        pairs = torch.tanh(self.memory(memory).unsqueeze(1) + state.unsqueeze(2))
        scores = without_padding(self.score(pairs).squeeze(-1), real)  # (7) z
        weights = scores.softmax(dim=-1)  # (7) alpha
        context = weights @ memory  # (6) c
        if self.sentinel is None or stream.sentinels is None:
            return context, weights, None
        extra = self.score(torch.tanh(self.sentinel(stream.sentinels) + state))
        gate = torch.cat([scores, extra], dim=-1).softmax(dim=-1)[..., -1]  # (8) beta
        return context, weights, gate


def _adapted(
    stream: StreamStates, context: Float[Tensor, "B T D"], gate: Float[Tensor, "B T"] | None
) -> Float[Tensor, "B T D"]:
    if gate is not None and stream.sentinels is not None:
        share = gate.unsqueeze(-1)
        context = share * stream.sentinels + (1 - share) * context  # (5) c^
    return context + stream.states  # h^
