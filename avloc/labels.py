"""The labels of a model and their class indices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from avloc.errors import UnknownNameError, UsageError


@dataclass(frozen=True)
class LabelSet:
    """Event labels in order, with background after the last.

    Attributes:
        names: the event labels, by class index. In AVE that is the order of first appearance
            in ``Annotations.txt``.
        background: the name of the class "no event".
    """

    names: tuple[str, ...]
    background: str = "background"

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names) or not all(self.names):
            raise UsageError(f"labels must be distinct and not empty, got {list(self.names)}")
        if self.background in self.names:
            raise UsageError(f"{self.background!r} is the background's name, not an event label")

    @classmethod
    def in_order_of_appearance(cls, names: Iterable[str]) -> LabelSet:
        """Make a label set from names that repeat, in order of first appearance."""
        return cls(tuple(dict.fromkeys(names)))

    @property
    def n_classes(self) -> int:
        """C: the event labels and background."""
        return len(self.names) + 1

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
