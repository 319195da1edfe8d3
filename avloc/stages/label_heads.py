"""The heads of a pair of encoders, read out for labels: what the model ``open`` is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from avloc.features.architectures import Sense
from avloc.features.heads import audio_head, visual_head
from avloc.features.weights import WeightsPolicy
from avloc.models.label_scores import LabelClasses
from avloc.vocabulary import ClassWeight, LabelMapping
from avloc.vocabulary.background import Background, read_background

RIVALS = (
    *("silence", "wind", "speech", "crowd", "music", "engine"),
    *("rain", "water", "bird", "footsteps", "white noise", "traffic"),
)
"""Ordinary things that are reported beside the labels asked for."""
_SHARPNESS = 3.0  # times the deviations of classes, whose log-sum-exp is nearly the maximum then
Moments = dict[str, Sequence[float]]


@dataclass(frozen=True)
class LabelHead:
    """A sense's head, and what it has to know of N labels, as `OpenLabels` takes them.

    Attributes:
        options: the sizes, by which the model is built.
        weights: the head's tensors by name.
        classes: the classes of each label.
        moments: how the labels and classes score on ordinary videos, as `LabelEvidence.fit` takes
            it.
    """

    options: dict[str, object]
    weights: dict[str, Tensor]
    classes: tuple[LabelClasses, ...]
    moments: Moments


def tagger_head(
    sense: Sense, encoder: str, classes: Sequence[Sequence[ClassWeight]], policy: WeightsPolicy
) -> LabelHead:
    """Return the classifier of an encoder, for labels that some of its classes stand for.

    Raises:
        WeightsError: the encoder's weights are not to be had.
        UnknownNameError: the encoder has no classifier.
    """
    kind, read_head, moments = _TAGGERS[sense]
    head = read_head(encoder, policy)
    activation = type(head.get_submodule("activation")).__name__.lower()
    weights = head.state_dict()  # under the names of `TaggerHead`
    n_classes, width = weights["output.weight"].shape
    of_labels = tuple(
        LabelClasses([c.index for c in entry], [c.weight for c in entry]) for entry in classes
    )
    options = {
        "head": kind,
        "width": width,
        "classes": n_classes,
        "activation": activation,
        "pairs": sum(len(entry.indices) for entry in of_labels),
    }
    options = {f"{sense}_{name}": value for name, value in options.items()}
    return LabelHead(options, weights, of_labels, moments(read_background(encoder), of_labels))


def text_label_head(
    sense: Sense, encoder: str, labels: Sequence[str], bank: Sequence[str], policy: WeightsPolicy
) -> LabelHead:
    """Return the head of an encoder that was trained with texts: each label is a class.

    Args:
        sense: which encoder it is.
        encoder: its name, ``hf:ORG/NAME``.
        labels: N labels.
        bank: ordinary words, against which labels are compared.
        policy: where the model's files may come from.

    Raises:
        UsageError: the model was not trained with texts.
        WeightsError: its files cannot be had.
    """
    from avloc.features.hub.text_towers import text_head  # its packages load slowly

    head = text_head(encoder, [*labels, *bank], weights=policy)
    n_labels, n_classes = len(labels), len(labels) + len(bank)
    options = {
        "head": "contrastive",
        "width": len(bank),
        "classes": n_classes,
        "pairs": n_labels,
    }
    return LabelHead(
        {f"{sense}_{name}": value for name, value in options.items()},
        {"texts": head.weight, "scale": torch.tensor(head.scale)},
        tuple(LabelClasses([n], [1.0]) for n in range(n_labels)),
        {"centre": [0.0] * n_labels, "scale": [1.0] * n_labels},
    )


def usable(word: LabelMapping, heads: dict[Sense, LabelHead]) -> LabelMapping:
    """Return what a label becomes with these heads; one trained with texts takes it as it is."""
    senses: dict[str, tuple[ClassWeight, ...]] = {"heard": word.heard, "seen": word.seen}
    modalities: dict[str, Sense] = {"heard": "audio", "seen": "visual"}
    for name, modality in modalities.items():
        head = heads.get(modality)
        if head is None:
            senses[name] = ()
        elif head.options[f"{modality}_head"] == "contrastive":
            senses[name] = (ClassWeight(0, word.label, 1.0, "its text"),)
    return LabelMapping(word.label, senses["heard"], senses["seen"], word.nearest)


def _of_best_class(background: Background, labels: Sequence[LabelClasses]) -> Moments:
    """Return moments for classes that may occur together: the best class makes the label."""
    return {
        "centre": [0.0] * len(labels),
        "scale": [_SHARPNESS] * len(labels),
        "class_mean": background.mean.tolist(),
        "class_scale": (background.deviation / _SHARPNESS).tolist(),
    }


def _of_any_class(background: Background, labels: Sequence[LabelClasses]) -> Moments:
    """Return moments for classes that exclude each other: their probabilities add up."""
    moments = background.of_labels([(entry.indices, entry.weights) for entry in labels])
    centre, scale = zip(*moments, strict=True)
    return {"centre": centre, "scale": scale}


_TAGGERS = {
    "audio": ("tagger", audio_head, _of_best_class),
    "visual": ("softmax", visual_head, _of_any_class),
}
