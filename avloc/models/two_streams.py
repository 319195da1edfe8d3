"""What the models that CMAN is compared with share: a BiLSTM a modality, and the head."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn


class TwoStreams(nn.Module):
    """A bidirectional LSTM for each modality.

    Args:
        visual_channels: of the picture's vectors.
        audio_channels: of the sound's vectors.
        width: hidden units a direction.
    """

    def __init__(self, visual_channels: int, audio_channels: int, width: int) -> None:
        super().__init__()
        self.visual = nn.LSTM(visual_channels, width, batch_first=True, bidirectional=True)
        self.audio = nn.LSTM(audio_channels, width, batch_first=True, bidirectional=True)

    def forward(
        self, picture: Float[Tensor, "B T Dv"], sound: Float[Tensor, "B T Da"]
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T D"]]:
        """Return the states of both, each with two directions side by side."""
        return self.visual(picture)[0], self.audio(sound)[0]


def classifier(n_channels: int, width: int, n_classes: int) -> nn.Sequential:
    """Return the head of Tian et al.: relu, linear, relu, linear."""
    return nn.Sequential(
        nn.ReLU(), nn.Linear(n_channels, width), nn.ReLU(), nn.Linear(width, n_classes)
    )
