"""Where and when: the spatial attention and the global-context-aware self-attention."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from avloc.models.real_segments import Real, mean_over_time, without_padding
from avloc.models.scaling import Scaling

_LEAST_LENGTH = 1e-6  # of a vector to be normalised; a zero vector stays zero


class SpatialAttention(nn.Module):
    """Where: the sound weighs the regions of the picture (paper, Spatial Attention Module).

    Sound and regions are compared in a space of ``width`` D, after a relu if ``is_rectified``, by
    the paper's ``cosine`` or by the ``projection`` of a region on the sound's direction over the
    root of D. A cosine ignores the region's length: an object's edge has the direction of its
    middle, and the map's peak falls beside it. ``temperature`` is tau, the factor on the
    similarity, trained in log space; with 1, as in the paper, weights differ at most by e.
    """

    def __init__(
        self,
        visual_channels: int,
        audio_channels: int,
        width: int,
        temperature: float,
        is_temperature_learnable: bool,
        is_rectified: bool,
        similarity: str,
    ) -> None:
        super().__init__()
        self.visual = nn.Linear(visual_channels, width)
        self.audio = nn.Linear(audio_channels, width)
        log_temperature = torch.tensor(math.log(temperature))
        self.log_temperature = nn.Parameter(log_temperature, is_temperature_learnable)
        self.is_cosine = similarity == "cosine"
        self.nonlinearity = nn.ReLU() if is_rectified else nn.Identity()

    def forward(
        self,
        visual: Float[Tensor, "B T N Dv"],
        audio: Float[Tensor, "B T Da"],
        scaling: Scaling,
    ) -> Float[Tensor, "B T N"]:
        """Return weights that sum to 1 over the regions; only the sound is scaled already."""
        regions = self.nonlinearity(scaling.linear(self.visual, visual))
        sound = normalize(self.nonlinearity(self.audio(audio)), dim=-1, eps=_LEAST_LENGTH)
        similarity = torch.einsum("btnd,btd->btn", regions, sound)
        if self.is_cosine:
            # The regions' lengths divide the products: the large array is read twice less.
            lengths = torch.linalg.vector_norm(regions, dim=-1)
            similarity = similarity / lengths.clamp_min(_LEAST_LENGTH)
        else:
            similarity = similarity / math.sqrt(regions.shape[-1])
        weights: Tensor = (self.log_temperature.exp() * similarity).softmax(dim=-1)
        return weights


class GlobalContextSelfAttention(nn.Module):
    """When: segments of one modality attend to each other and to a global context (eq. 1-3).

    The paper's text lacks the equations; these are of Yang et al., AAAI 2019 (Context-aware
    self-attention networks). Without context lambda is 0 (table 2, "our model - global context
    vector"). A residual one adds its input (width Dx = D) to the output.
    """

    def __init__(
        self, n_channels: int, width: int, *, has_context: bool, is_residual: bool, dropout: float
    ) -> None:
        super().__init__()
        self.query = nn.Linear(n_channels, width, bias=False)
        self.key = nn.Linear(n_channels, width, bias=False)
        self.value = nn.Linear(n_channels, width, bias=False)
        self.query_context = _ContextGate(n_channels, width) if has_context else None
        self.key_context = _ContextGate(n_channels, width) if has_context else None
        self.dropout = nn.Dropout(dropout)
        self.is_residual = is_residual

    def forward(
        self, x: Float[Tensor, "B T Dx"], real: Real = None
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T T"]]:
        """Return the attended sequence and each segment's weights over the real segments."""
        query, key, value = self.query(x), self.key(x), self.value(x)
        context = mean_over_time(x, real)  # (1) c
        if self.query_context is not None and self.key_context is not None:
            query = self.query_context(query, context)
            key = self.key_context(key, context)
        scores = query @ key.transpose(1, 2) / math.sqrt(query.shape[-1])
        weights = without_padding(scores, real).softmax(dim=-1)
        attended = self.dropout(weights @ value)  # (3)
        return (attended + x if self.is_residual else attended), weights


class _ContextGate(nn.Module):
    """Mix the global context into queries or keys by a scalar a segment (eq. 2)."""

    def __init__(self, n_channels: int, width: int) -> None:
        super().__init__()
        self.context = nn.Linear(n_channels, width, bias=False)  # U
        self.from_segment = nn.Linear(width, 1, bias=False)  # p
        self.from_context = nn.Linear(width, 1, bias=False)  # r

    def forward(
        self, x: Float[Tensor, "B T D"], context: Float[Tensor, "B 1 Dx"]
    ) -> Float[Tensor, "B T D"]:
        mapped = self.context(context)
        share = torch.sigmoid(self.from_segment(x) + self.from_context(mapped))  # lambda
        mixed: Tensor = (1 - share) * x + share * mapped  # (2)
        return mixed
