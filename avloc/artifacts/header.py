"""What a file says of itself in its header, believed only as far as its schema goes.

Every refusal is a ValueError in words; `avloc.artifacts.hdf5` names the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from avloc.artifacts.typed_json import typed
from avloc.errors import UsageError
from avloc.labels import LabelSet
from avloc.spec import FeatureSpec

MAX_SEGMENTS = 10**6
"""Of a window: eleven days, a second a segment."""
SEGMENT_SECONDS = (1e-6, 1e6)
_MAX_PIXELS = 10**6  # along one side


class Header:
    """A file's JSON header, each field of one known type.

    Every method raises ValueError where there is no such field, or it is of another type or
    out of range.

    Args:
        fields: the JSON object.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def has(self, name: str) -> bool:
        """Tell whether there is such a field."""
        return name in self._fields

    def text(self, name: str) -> str:
        """Return a text."""
        value = self._value(name)
        if not isinstance(value, str):
            raise ValueError(f"{name} is not a text")
        return value

    def whole(self, name: str, least: int, most: int = 2**63 - 1) -> int:
        """Return a whole number from ``least`` to ``most``."""
        value = self._value(name)
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"{name} is not a whole number from {least} to {most}")
        return value

    def number(self, name: str, least: float = 0.0, most: float = 1e12) -> float:
        """Return a finite number from ``least`` to ``most``."""
        value = self._value(name)
        if not _is_number(value) or not least <= value <= most:
            raise ValueError(f"{name} is not a number from {least:g} to {most:g}")
        return float(value)

    def mapping(self, name: str) -> dict[str, Any]:
        """Return a JSON object."""
        value = self._value(name)
        if not isinstance(value, dict):
            raise ValueError(f"{name} is not a JSON object")
        return value

    def numbers(self, name: str) -> dict[str, float]:
        """Return a JSON object of numbers."""
        values = self.mapping(name)
        for key, value in values.items():
            if not _is_number(value):
                raise ValueError(f"{name}: {key!r:.60} is not a number")
        return values

    def texts(self, name: str, size: int | None = None) -> tuple[str, ...]:
        """Return a list of texts, of a known length or any."""
        texts = _texts(self._value(name), name)
        if size is not None and len(texts) != size:
            raise ValueError(f"{name} has {len(texts)} texts, not {size}")
        return texts

    def table(self, name: str, columns: Mapping[str, type]) -> list[tuple[Any, ...]]:
        """Return a list of JSON objects of texts and real numbers, a tuple an object."""
        lines = self._value(name)
        if not isinstance(lines, list):
            raise ValueError(f"{name} is not a list")
        return [_line(line, name, columns) for line in lines]

    def labels(self) -> LabelSet:
        """Return the label set."""
        value = self.mapping("labels")
        names, background = _texts(value.get("names"), "labels"), value.get("background")
        if not isinstance(background, str):
            raise ValueError("the background's name is not a text")
        try:
            return LabelSet(names, background)
        except UsageError as error:
            raise ValueError(error.message[:200]) from error

    def frame_size(self) -> tuple[int, int] | None:
        """Return the shown (width, height) in pixels, None without a picture."""
        value = self._value("frame_size")
        if value is None:
            return None
        if not _is_pixels(value):
            raise ValueError(f"frame_size is {value!r:.60}, not a width and a height in pixels")
        return value[0], value[1]

    def spec(self, name: str) -> FeatureSpec:
        """Return a feature spec, which must have the fingerprint that the file states."""
        return checked_spec(self._value(name), self.text("fingerprint"))

    def _value(self, name: str) -> Any:
        if name not in self._fields:
            raise ValueError(f"it does not say its {name}")
        return self._fields[name]


def checked_spec(value: object, fingerprint: str) -> FeatureSpec:
    """Return a JSON object as a feature spec; ValueError if its fingerprint is another."""
    spec: FeatureSpec = typed(value, FeatureSpec, "the feature spec")
    if spec.fingerprint != fingerprint:
        raise ValueError(
            f"its fingerprint is {fingerprint:.60}, and its feature spec's {spec.fingerprint}"
        )
    return spec


def labels_to_plain(labels: LabelSet) -> dict[str, object]:
    """Return a label set as plain values; `Header.labels` reads it back."""
    return {"names": list(labels.names), "background": labels.background}


def _texts(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError(f"{name} is not a list of texts")
    return tuple(value)


def _line(line: object, name: str, columns: Mapping[str, type]) -> tuple[Any, ...]:
    if not isinstance(line, dict) or line.keys() != columns.keys():
        raise ValueError(f"{name} has a line that is not of {', '.join(columns)}")
    for column, kind in columns.items():
        if not (_is_number(line[column]) if kind is float else isinstance(line[column], kind)):
            raise ValueError(f"{name}: {column} cannot be {line[column]!r:.60}")
    return tuple(kind(line[column]) for column, kind in columns.items())


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) < 2**63  # larger ones cannot be a float


def _is_pixels(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(type(side) is int and 0 < side <= _MAX_PIXELS for side in value)
    )
