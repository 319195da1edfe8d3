"""The labels of a model, and how they exclude each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from avloc.errors import UnknownNameError, UsageError

LabelKind = Literal["exclusive", "independent"]
KINDS: tuple[str, ...] = get_args(LabelKind)
IGNORED = -1
"""The class index of a segment that is not scored: padding, or a segment of another window."""


@dataclass(frozen=True)
class LabelSet:
    """C event labels in order. Background is not a label: it is where no event is.

    Attributes:
        names: the event labels, by index. In AVE that is the order of first appearance
            in ``Annotations.txt``.
        background: the name of "no event".
        kind: ``exclusive`` if a segment has one label at most, as in AVE and the paper;
            ``independent`` if it may have several.
    """

    names: tuple[str, ...]
    background: str = "background"
    kind: LabelKind = "exclusive"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownNameError("kind of label set", self.kind, KINDS)
        if len(set(self.names)) != len(self.names) or not all(self.names):
            raise UsageError(f"labels must be distinct and not empty, got {list(self.names)}")
        if self.background in self.names:
            raise UsageError(f"{self.background!r} is the background's name, not an event label")

    @classmethod
    def in_order_of_appearance(cls, names: Iterable[str]) -> LabelSet:
        """Make a label set from names that repeat, in order of first appearance."""
        return cls(tuple(dict.fromkeys(names)))

    @property
    def is_exclusive(self) -> bool:
        """Whether a segment has one label at most."""
        return self.kind == "exclusive"

    @property
    def n_labels(self) -> int:
        """C: the event labels, without background."""
        return len(self.names)

    @property
    def n_classes(self) -> int:
        """C + 1: the event labels and background, as classes that exclude each other."""
        return len(self.names) + 1

    @property
    def n_logits(self) -> int:
        """The outputs of a model: a class each if exclusive, with background; else a label each."""
        return self.n_classes if self.is_exclusive else self.n_labels

    @property
    def background_index(self) -> int:
        """The class index of background, always the last."""
        return len(self.names)

    @property
    def all_names(self) -> tuple[str, ...]:
        """Every class name by index, background last."""
        return (*self.names, self.background)

    def index(self, name: str) -> int:
        """Return the class index of a label or of background; else `UnknownNameError`."""
        try:
            return self.all_names.index(name)
        except ValueError:
            raise UnknownNameError("label", name, self.all_names) from None


def class_indices(events: NDArray[np.bool_], scored: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return (..., T) class indices of exclusive labels (..., T, C); background is C."""
    classes = np.where(events.any(axis=-1), events.argmax(axis=-1), events.shape[-1])
    return np.asarray(np.where(scored, classes, IGNORED), dtype=np.int64)
