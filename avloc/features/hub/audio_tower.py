"""The audio half of CLAP: ten seconds of sound to a vector in the space of its texts.

Wu et al., "Large-Scale Contrastive Language-Audio Pretraining", ICASSP 2023. The library's own
extractor cuts long sound at random; it is never given more than its ten seconds here.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

LAYER = "projection"


class SoundPreparation:
    """Makes CLAP's log-mel pictures of waveforms with the settings of a checkpoint."""

    def __init__(self, extractor: Any) -> None:
        is_fused = extractor.truncation == "fusion"
        filters = extractor.mel_filters if is_fused else extractor.mel_filters_slaney
        self._n_copies = 4 if is_fused else 1  # a fused model has four views of long sound
        self._filters = torch.as_tensor(filters, dtype=torch.float64)
        self._window = torch.hann_window(extractor.fft_window_size, dtype=torch.float64)
        self._hop = extractor.hop_length

    def __call__(self, sounds: Float[Tensor, "B n"]) -> Float[Tensor, "B copies frames bands"]:
        """Return decibels; in double precision, as the library calculates them."""
        window, filters = self._window.to(sounds.device), self._filters.to(sounds.device)
        spectrum = torch.stft(
            sounds.double(), len(window), self._hop, window=window, return_complex=True
        )
        power = spectrum.abs().square().transpose(1, 2) @ filters
        decibels = 10 * power.clamp(min=1e-10).log10()
        return decibels.float()[:, None].expand(-1, self._n_copies, -1, -1)


class AudioTower(nn.Module):
    """CLAP's audio transformer and its projection."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.audio = model.audio_model
        self.projection = model.audio_projection

    def forward(self, pictures: Float[Tensor, "B copies frames bands"]) -> Float[Tensor, "B D"]:
        """Embed log-mel pictures as vectors of length 1."""
        # no sound is longer than the model's ten seconds; the library marks one at random
        is_longer = torch.zeros(len(pictures), 1, dtype=torch.bool, device=pictures.device)
        pooled = self.audio(input_features=pictures, is_longer=is_longer).pooler_output
        return normalize(self.projection(pooled), dim=-1)
