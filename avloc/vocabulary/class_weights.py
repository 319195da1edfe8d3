"""What a label became: classes of each sense with weights and reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ClassWeight:
    """One class that a label means.

    Attributes:
        index: the class's index in its tagger's logits.
        weight: in (0, 1]: how much the class's score says about the label.
        reason: why, in a few words: ``name: dog``, ``parent: bird``, ``similar 0.71``.
    """

    index: int
    name: str
    weight: float
    reason: str


@dataclass(frozen=True)
class LabelMapping:
    """What a label became in each sense. A sense without classes abstains.

    Attributes:
        heard: AudioSet classes, the largest weight first.
        seen: ImageNet classes, the largest weight first.
        nearest: names of the nearest classes if nothing matches; otherwise empty.
    """

    label: str
    heard: tuple[ClassWeight, ...]
    seen: tuple[ClassWeight, ...]
    nearest: tuple[str, ...] = ()


def weighted(
    classes: Iterable[tuple[int, float]], names: Sequence[str], reason: str, factor: float = 1.0
) -> Iterator[ClassWeight]:
    """Yield classes, indices with weights, under their names; each weight times a factor."""
    for index, weight in classes:
        yield ClassWeight(index, names[index], round(weight * factor, 3), reason)


def strongest(weights: Iterable[ClassWeight]) -> tuple[ClassWeight, ...]:
    """Return each class once, with its largest weight, in descending order of weight."""
    best: dict[int, ClassWeight] = {}
    for weight in weights:
        if weight.index not in best or weight.weight > best[weight.index].weight:
            best[weight.index] = weight
    return tuple(sorted(best.values(), key=lambda each: (-each.weight, each.index)))
