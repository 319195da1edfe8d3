"""The model ``open``: labels looked up in the heads of pretrained encoders, without training."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from avloc.errors import UsageError
from avloc.models.class_heads import ACTIVATIONS, HEADS, ClassHead, make_head
from avloc.models.label_scores import (
    LabelEvidence,
    cell_weights,
    fused,
    median_over_time,
    shown_strength,
)
from avloc.models.model import Model, ModelOptions, ModelOutput
from avloc.models.real_segments import Real, last_repeated
from avloc.options import option

_AT_ONCE = 64  # segments: what a head makes of the cells of an hour does not fit in memory


@dataclass(frozen=True)
class OpenOptions(ModelOptions):
    """The sizes of both heads, by which a file's model is built again."""

    audio_head: str = option("none", help="the kind of the audio head", choices=HEADS)
    audio_width: int = option(1, help="its hidden channels, or the words of its bank", minimum=1)
    audio_classes: int = option(1, help="the classes that it knows", minimum=1)
    audio_activation: str = option("hardswish", help="of it", choices=tuple(ACTIVATIONS))
    audio_pairs: int = option(0, help="the labels' classes together", minimum=0)
    visual_head: str = option("none", help="the kind of the visual head", choices=HEADS)
    visual_width: int = option(1, help="its hidden channels, or the words of its bank", minimum=1)
    visual_classes: int = option(1, help="the classes that it knows", minimum=1)
    visual_activation: str = option("relu6", help="of it", choices=tuple(ACTIVATIONS))
    visual_pairs: int = option(0, help="the labels' classes together", minimum=0)
    n_rivals: int = option(0, help="things that are scored beside the labels", minimum=0)
    smooth: int = option(3, help="segments of the median over time", minimum=1)

    @property
    def modalities(self) -> str:
        """Which senses have a head."""
        if self.audio_head == "none":
            return "visual"
        return "audio" if self.visual_head == "none" else "both"


class OpenLabels(Model):
    """Scores of any labels, from the class logits of one or two pretrained encoders.

    Sound or a picture that is all zeros, as of a video without it, says nothing of any label.
    """

    Config = OpenOptions
    is_trained = False
    has_label_maps = True

    def __init__(self, options: OpenOptions) -> None:
        super().__init__(options)
        if not options.independent or options.audio_head == options.visual_head == "none":
            raise UsageError("the model open needs independent labels and a head")
        self.options = options
        self.audio_head, self.heard_labels = self._sense("audio", options.audio_channels)
        self.visual_head, self.seen_labels = self._sense("visual", options.visual_channels)

    def _sense(
        self, modality: str, n_channels: int
    ) -> tuple[ClassHead | None, LabelEvidence | None]:
        kind, width, n_classes, activation, n_pairs = (
            getattr(self.options, f"{modality}_{name}")
            for name in ("head", "width", "classes", "activation", "pairs")
        )
        head = make_head(kind, n_channels, width, n_classes, activation)
        if head is None:
            return None, None
        return head, LabelEvidence(self._n_names, n_pairs)

    @property
    def _n_names(self) -> int:
        return self.options.n_classes + self.options.n_rivals

    @property
    def modalities(self) -> str:
        """Which senses have a head: ``both``, ``audio`` or ``visual``."""
        return self.options.modalities

    def forward(
        self,
        visual: Float[Tensor, "B T H W Dv"],
        audio: Float[Tensor, "B T Da"],
        real: Real = None,
    ) -> ModelOutput:
        """Return the labels' logits by both senses and by each; NaN where a sense abstains."""
        heard, rivals_heard = self._parted(self._heard(audio), real)
        parts = [self._seen(part) for part in torch.split(visual, _AT_ONCE, dim=1)]
        seen, rivals_seen = self._parted(torch.cat(parts, dim=1), real)
        return ModelOutput(
            logits=fused(heard, seen),
            heard=None if self.audio_head is None else heard,
            seen=None if self.visual_head is None else seen,
            rivals=fused(rivals_heard, rivals_seen) if self.options.n_rivals else None,
        )

    @torch.no_grad()
    def label_maps(
        self,
        visual: Float[Tensor, "B T H W Dv"],
        heard: Float[Tensor, "B T C"] | None,
        seen: Float[Tensor, "B T C"] | None,
        labels: Int[Tensor, "B T"],
    ) -> Float[Tensor, "B T H W"] | None:
        """Return where one label a segment is: weights over the picture that sum to 1.

        ``heard`` and ``seen`` are probabilities; the less they are, the more uniform the weights.
        """
        if self.visual_head is None or seen is None:
            return None
        evidence = self._cells(visual.flatten(2, 3), labels)
        chosen = labels[..., None]
        of_label = None if heard is None else heard.gather(-1, chosen)[..., 0]
        strength = shown_strength(of_label, seen.gather(-1, chosen)[..., 0])
        return cell_weights(evidence.reshape(visual.shape[:4]), strength)

    def _cells(
        self, cells: Float[Tensor, "B T N Dv"], labels: Int[Tensor, "B T"]
    ) -> Float[Tensor, "B T N"]:
        """Return the evidence of one label a segment in each cell; 0 where sight abstains."""
        assert self.visual_head is not None
        assert self.seen_labels is not None
        head = self.visual_head
        scores: Tensor = head.classify(head.embed(cells))
        evidence = cells.new_zeros(cells.shape[:3])
        for label in torch.unique(labels).tolist():
            if not self.seen_labels.abstains[label]:
                chosen = labels == label
                evidence[chosen] = self.seen_labels.of_label(label, scores[chosen])
        return evidence

    def _parted(self, evidence: Float[Tensor, "B T N"], real: Real) -> tuple[Tensor, Tensor]:
        """Return the labels and the rivals, smoothed over time."""
        smoothed = median_over_time(last_repeated(evidence, real), self.options.smooth)
        n_labels = self.options.n_classes
        return smoothed[..., :n_labels], smoothed[..., n_labels:]

    def _heard(self, audio: Float[Tensor, "B T Da"]) -> Float[Tensor, "B T N"]:
        if self.audio_head is None or self.heard_labels is None:
            return self._nothing(audio)
        evidence: Tensor = self.heard_labels(self.audio_head(audio))
        return evidence.masked_fill(~audio.any(dim=-1, keepdim=True), torch.nan)

    def _seen(self, visual: Float[Tensor, "B T H W Dv"]) -> Float[Tensor, "B T N"]:
        head = self.visual_head
        if head is None or self.seen_labels is None:
            return self._nothing(visual)
        logits = head.classify(head.embed(visual.flatten(2, 3)).mean(dim=2))
        evidence: Tensor = self.seen_labels(head.scores(logits))
        return evidence.masked_fill(~visual.flatten(2).any(dim=-1, keepdim=True), torch.nan)

    def _nothing(self, features: Tensor) -> Float[Tensor, "B T N"]:
        return features.new_full((*features.shape[:2], self._n_names), torch.nan)
