"""What the training loop, evaluation and localization may ask of any model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from avloc.models.real_segments import Real
from avloc.models.scaling import Scaling
from avloc.options import check_options, option


@dataclass(frozen=True)
class ModelOptions:
    """The options of every model; each paper's config adds more."""

    visual_channels: int = option(help="Dv, channels of the visual map", minimum=1)
    audio_channels: int = option(help="Da, channels of the audio vector", minimum=1)
    n_classes: int = option(
        help="the number of logits: the labels and background, or the labels if independent",
        minimum=1,
    )
    independent: bool = option(False, help="several labels may be in one segment", is_derived=True)

    def __post_init__(self) -> None:
        check_options(self)


@dataclass(frozen=True)
class ModelOutput:
    """Logits, and weights and gates; None where the model has no such module.

    There are K logits: a class each with background last, K = C + 1, or a label each if labels
    are independent, K = C. The weights of a segment sum to 1: over the picture, or over the
    segments of a modality. The values of padded segments mean nothing.
    """

    logits: Float[Tensor, "B T K"]
    heard: Float[Tensor, "B T K"] | None = None  # logits of the sound alone, from a head of its own
    seen: Float[Tensor, "B T K"] | None = None  # logits of the picture alone
    rivals: Float[Tensor, "B T R"] | None = None  # logits of things nobody asked for
    pooled: Float[Tensor, "B C"] | None = None  # probabilities of the whole window
    pooled_heard: Float[Tensor, "B C"] | None = None  # of its sound
    pooled_seen: Float[Tensor, "B C"] | None = None  # of its picture
    attention: Float[Tensor, "B T H W"] | None = None  # where
    self_attention_visual: Float[Tensor, "B T T"] | None = None  # when
    self_attention_audio: Float[Tensor, "B T T"] | None = None
    gate_visual: Float[Tensor, "B T"] | None = None  # which: the sentinel gate of eq. 5
    gate_audio: Float[Tensor, "B T"] | None = None
    co_attention_visual: Float[Tensor, "B T T"] | None = None  # picture to sound, alpha of eq. 7
    co_attention_audio: Float[Tensor, "B T T"] | None = None  # sound to picture

    def first(self, n: int) -> ModelOutput:
        """Return the output for the first n windows."""
        if n == len(self.logits):
            return self
        parts: dict[str, Any] = {k: None if v is None else v[:n] for k, v in vars(self).items()}
        return ModelOutput(**parts)


class Model(nn.Module):
    """Features in, logits per segment out; any B, T, H and W.

    Logits are divided by ``temperature``, one number or one a label, before they become
    probabilities. ``knows_halves`` says that training showed windows without one modality, so
    that the model can be asked what either alone says.
    """

    Config: ClassVar[type[ModelOptions]]
    has_pooling: ClassVar[bool] = False
    """Whether its output has ``pooled``, on which weak supervision trains it."""
    is_trained: ClassVar[bool] = True
    """Whether `avloc.train` makes it."""
    has_label_maps: ClassVar[bool] = False
    """Whether it has ``label_maps``, which say where each label is."""
    takes_padding: ClassVar[bool] = True
    """Whether ``forward`` takes ``real``, so that windows of different lengths can be a batch."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.takes_padding = "real" in signature(cls.forward).parameters

    if TYPE_CHECKING:
        __call__: Callable[..., ModelOutput]

    def __init__(self, options: ModelOptions) -> None:
        super().__init__()
        self._options = options
        self.temperature: float | Tensor = 1.0
        self.knows_halves = False
        self.scale_visual = Scaling(options.visual_channels)
        self.scale_audio = Scaling(options.audio_channels)

    @property
    def config(self) -> dict[str, object]:
        """The options with which `build` makes this model again."""
        return asdict(self._options)

    @property
    def uses_mean_picture(self) -> bool:
        """Whether `forward` uses only the mean over the picture: then maps of 1 x 1 will do."""
        return False

    @property
    def modalities(self) -> str:
        """Which features it uses: ``both``, ``audio`` or ``visual``."""
        return str(getattr(self._options, "modalities", "both"))

    def probabilities(self, logits: Float[Tensor, "*B K"]) -> Float[Tensor, "*B C"]:
        """Return calibrated probabilities of the labels; exclusive ones sum to 1 at most."""
        calibrated = logits / self.temperature
        if self._options.independent:
            return calibrated.sigmoid()
        return calibrated.softmax(dim=-1)[..., :-1]

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
        self,
        visual: Float[Tensor, "B T H W Dv"],
        audio: Float[Tensor, "B T Da"],
        real: Real = None,
    ) -> ModelOutput:
        """Score every segment of B windows of features, as extracted.

        ``real`` marks the segments of each window that are not padding, its first ones; None if
        all are. It may be on the CPU. A model without this parameter gets windows of one length.
        """
