"""HAN: hybrid attention and attentive pooling, for parsing a video into what is heard and seen.

Tian, Li & Xu, Unified multisensory perception: weakly-supervised audio-visual video parsing,
ECCV 2020; layers as in the authors' code. Numbered here, the picture's f_v by analogy::

    f^_a = f_a + g_sa(f_a, F_a) + g_ca(f_a, F_v)                              (1)
    g(f, F) = softmax(W_q f (W_k F)^T / sqrt(d)) W_v F                        (2)
    P = sigmoid(W f^)                      of each segment, sense and label   (3)
    p = sum_t sum_m softmax_t(W_tp f^) softmax_m(W_av f^) P   of the window   (4)
    p_m = sum_t softmax_t(W_tp f^) P               of the window in a sense   (5)

Not theirs: a mean over the picture for their two visual networks, missing senses, and (6), (7).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import pad

from avloc.devices import moved
from avloc.errors import UsageError
from avloc.models.model import Model, ModelOptions, ModelOutput
from avloc.models.real_segments import Real
from avloc.options import option

_NO_EVIDENCE = -30.0
"""The logit of a sense that is missing: a probability of 1e-13."""


@dataclass(frozen=True)
class HANConfig(ModelOptions):
    """Every option of HAN; the widths are those of its authors' code."""

    width: int = option(512, help="d, the width of both streams; a multiple of heads", minimum=1)
    heads: int = option(1, help="heads of each attention", minimum=1)
    hidden_width: int = option(512, help="hidden width of the feed-forward layer", minimum=1)
    dropout: float = option(0.1, help="on attention weights and layers", minimum=0.0, maximum=0.95)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % self.heads:
            raise UsageError(
                f"width is {self.width} with {self.heads} heads", "Heads must divide the width."
            )


class HAN(Model):
    """Hybrid attention, a sigmoid for each sense, segment and label, and attentive pooling.

    An event is what either sense has, ``p = 1 - (1 - P_a)(1 - P_v)`` (eq. 6). The labels are
    independent. Of an exclusive label set one label occurs at most: given that, the logits are
    each label's log-odds, and 0 for background (eq. 7).
    """

    Config: ClassVar[type[HANConfig]] = HANConfig
    has_pooling = True

    def __init__(self, options: HANConfig) -> None:
        super().__init__(options)
        n_labels = options.n_classes if options.independent else options.n_classes - 1
        self.n_classes = options.n_classes
        self.audio = nn.Linear(options.audio_channels, options.width)
        self.visual = nn.Linear(options.visual_channels, options.width)
        self.hybrid = HybridAttention(
            options.width, options.heads, options.hidden_width, options.dropout
        )
        self.label = nn.Linear(options.width, n_labels)
        self.pooling = AttentivePooling(options.width, n_labels)

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
        """Score every segment of B windows; a sense whose features are all zero is missing."""
        is_missing = torch.stack([~audio.any(dim=-1), ~visual.flatten(2).any(dim=-1)], dim=2)
        padding = None if real is None else ~moved(real, audio.device)
        if padding is not None:
            is_missing = is_missing | padding.unsqueeze(2)
        picture, _ = self.pool_regions(None, visual, audio)
        x_a, x_v = self.audio(self.scale_audio(audio)), self.visual(picture)
        missing_a, missing_v = is_missing.unbind(dim=2)
        h_a, self_a, co_a = self.hybrid(x_a, x_v, missing_a, missing_v, padding)
        h_v, self_v, co_v = self.hybrid(x_v, x_a, missing_v, missing_a, padding)
        states = torch.stack([h_a, h_v], dim=2)
        logits = self.label(states).masked_fill(is_missing.unsqueeze(-1), _NO_EVIDENCE)  # of (3)
        heard, seen = logits.unbind(dim=2)
        pooled, of_senses = self.pooling(states, logits.sigmoid(), is_missing)
        return ModelOutput(
            logits=self._with_background(either(heard, seen)),
            heard=self._with_background(heard),
            seen=self._with_background(seen),
            pooled=pooled,
            pooled_heard=of_senses[:, 0],
            pooled_seen=of_senses[:, 1],
            self_attention_audio=self_a,
            self_attention_visual=self_v,
            co_attention_audio=co_a,
            co_attention_visual=co_v,
        )

    def _with_background(self, logits: Float[Tensor, "B T C"]) -> Float[Tensor, "B T K"]:
        return pad(logits, (0, self.n_classes - logits.shape[-1]))  # (7)


class HybridAttention(nn.Module):
    """One modality attends to itself and to the other; both directions share the weights."""

    def __init__(self, width: int, heads: int, hidden_width: int, dropout: float) -> None:
        super().__init__()
        self.within = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.across = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, hidden_width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_width, width),
        )
        self.norm_attended, self.norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        other: Float[Tensor, "B T D"],
        x_missing: Bool[Tensor, "B T"],
        other_missing: Bool[Tensor, "B T"],
        padding: Bool[Tensor, "B T"] | None,
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T T"], Float[Tensor, "B T T"]]:
        """Return the states, and the weights over its own segments and over the other's."""
        within, weights_within = _attend(self.within, x, x, x_missing, padding)  # (2) g_sa
        across, weights_across = _attend(self.across, x, other, other_missing, padding)  # (2) g_ca
        attended = self.norm_attended(x + self.dropout(across) + self.dropout(within))  # (1)
        states = self.norm(attended + self.dropout(self.feed_forward(attended)))
        return states, weights_within, weights_across


class AttentivePooling(nn.Module):
    """Attentive MMIL pooling: weights over time for each sense, and over senses for each segment.

    The sum can exceed 1, as in the authors' code, which clamps it.
    """

    def __init__(self, width: int, n_labels: int) -> None:
        super().__init__()
        self.time = nn.Linear(width, n_labels)  # W_tp
        self.sense = nn.Linear(width, n_labels)  # W_av

    def forward(
        self,
        states: Float[Tensor, "B T 2 D"],
        probabilities: Float[Tensor, "B T 2 C"],
        is_missing: Bool[Tensor, "B T 2"],
    ) -> tuple[Float[Tensor, "B C"], Float[Tensor, "B 2 C"]]:
        """Return the probability that the window has a label, and that each of its senses has."""
        missing = is_missing.unsqueeze(-1)
        evidence = _softmax(self.time(states), missing, dim=1) * probabilities
        over_senses = _softmax(self.sense(states), missing, dim=2)
        pooled = (evidence * over_senses).sum(dim=(1, 2)).clamp(0, 1)  # (4)
        return pooled, evidence.sum(dim=1).clamp(0, 1)  # (5)


def either(heard: Float[Tensor, "*B C"], seen: Float[Tensor, "*B C"]) -> Float[Tensor, "*B C"]:
    """Return the logit of "heard or seen": ``p / (1 - p) = e^a + e^v + e^(a + v)`` (eq. 6)."""
    return torch.stack([heard, seen, heard + seen]).logsumexp(dim=0)


def _attend(
    attention: nn.MultiheadAttention,
    query: Float[Tensor, "B T D"],
    memory: Float[Tensor, "B T D"],
    is_missing: Bool[Tensor, "B T"],
    padding: Bool[Tensor, "B T"] | None,
) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T T"]]:
    """Attend to the segments that are not missing; if all are, nothing is added."""
    has_any = ~is_missing.all(dim=1)[:, None, None]
    mask = is_missing & has_any.squeeze(-1)  # a row without any key would be NaN
    if padding is not None:
        mask = mask | padding
    attended, weights = attention(query, memory, memory, key_padding_mask=mask)
    return attended * has_any, weights


def _softmax(scores: Tensor, is_missing: Tensor, dim: int) -> Tensor:
    """Softmax over what is not missing; all zeros where everything is."""
    has_any = ~is_missing.all(dim=dim, keepdim=True)  # else NaN, in the gradient too
    weights = scores.masked_fill(is_missing & has_any, -torch.inf).softmax(dim=dim)
    return weights.masked_fill(is_missing, 0.0)
