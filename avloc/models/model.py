"""What the training loop, evaluation and localization may ask of any model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from avloc.models.scaling import Scaling
from avloc.options import check_options, option


@dataclass(frozen=True)
class ModelOptions:
    """The options of every model; each paper's config adds more."""

    visual_channels: int = option(help="Dv, channels of the visual map", minimum=1)
    audio_channels: int = option(help="Da, channels of the audio vector", minimum=1)
    n_classes: int = option(help="C, the labels and background", minimum=2)

    def __post_init__(self) -> None:
        check_options(self)


@dataclass(frozen=True)
class ModelOutput:
    """Logits, background last, and weights and gates; None where the model has no such module.

    The weights of a segment sum to 1: over the picture, or over the segments of a modality.
    """

    logits: Float[Tensor, "B T C"]
    attention: Float[Tensor, "B T H W"] | None = None  # where
    self_attention_visual: Float[Tensor, "B T T"] | None = None  # when
    self_attention_audio: Float[Tensor, "B T T"] | None = None
    gate_visual: Float[Tensor, "B T"] | None = None  # which: the sentinel gate of eq. 5
    gate_audio: Float[Tensor, "B T"] | None = None
    co_attention_visual: Float[Tensor, "B T T"] | None = None  # picture to sound, alpha of eq. 7
    co_attention_audio: Float[Tensor, "B T T"] | None = None  # sound to picture


class Model(nn.Module):
    """Features in, logits per segment out; any B, T, H and W.

    Logits are divided by ``temperature`` before they become probabilities.
    """

    Config: ClassVar[type[ModelOptions]]

    if TYPE_CHECKING:
        __call__: Callable[..., ModelOutput]

    def __init__(self, options: ModelOptions) -> None:
        super().__init__()
        self._options = options
        self.temperature = 1.0
        self.scale_visual = Scaling(options.visual_channels)
        self.scale_audio = Scaling(options.audio_channels)

    @property
    def config(self) -> dict[str, object]:
        """The options with which `build` makes this model again."""
        return asdict(self._options)

    @property
    def modalities(self) -> str:
        """Which features it uses: ``both``, ``audio`` or ``visual``."""
        return str(getattr(self._options, "modalities", "both"))

    def probabilities(self, logits: Float[Tensor, "*B C"]) -> Float[Tensor, "*B C"]:
        """Return calibrated probabilities."""
        return (logits / self.temperature).softmax(dim=-1)

    def pool_regions(
        self,
        where: nn.Module | None,
        visual: Float[Tensor, "B T H W Dv"],
        audio: Float[Tensor, "B T Da"],
    ) -> tuple[Float[Tensor, "B T Dv"], Float[Tensor, "B T H W"] | None]:
        """Return one vector a segment from its map, and the weights of the regions.

        ``where`` takes regions (B, T, N, Dv), scaled sound and the regions' scaling, and returns
        (B, T, N) weights that sum to 1. Without it the vector is the mean over the picture.
        """
        regions = visual.flatten(2, 3)
        if where is None:
            return self.scale_visual(regions.mean(dim=2)), None
        weights = where(regions, audio, self.scale_visual)
        # Weights sum to 1, so the one vector can be scaled in place of all regions.
        picture = self.scale_visual(torch.einsum("btn,btnd->btd", weights, regions))
        return picture, weights.unflatten(2, visual.shape[2:4])

    @abstractmethod
    def forward(
        self, visual: Float[Tensor, "B T H W Dv"], audio: Float[Tensor, "B T Da"]
    ) -> ModelOutput:
        """Score every segment of B windows of features, as extracted."""
