"""What a file says of itself in attributes, believed only as far as its schema goes.

Every refusal is a ValueError in words; `avloc.artifacts.hdf5` names the file.
"""

from __future__ import annotations

import json
from typing import Any

import h5py
import numpy as np
from h5py import h5a

from avloc.errors import UsageError
from avloc.labels import LabelSet

MAX_JSON = 2**20
"""Characters of nested values: a million takes some 20 MB when it is read, and nothing that
avloc writes comes near."""
MAX_SEGMENTS = 10**6
"""Of a window: eleven days, a second a segment."""
SEGMENT_SECONDS = (1e-6, 1e6)
_MAX_FPS = 1000
_MAX_PIXELS = 10**6  # along one side


class Attributes:
    """The attributes of an open file, each of one known type.

    Every method raises KeyError where there is no such attribute and ValueError where it is
    of another type or out of range.
    """

    def __init__(self, file: h5py.File) -> None:
        self._id = file.id

    @property
    def schema(self) -> str:
        """The schema, empty where there is none."""
        return self.text("schema") if self.has("schema") else ""

    def has(self, name: str) -> bool:
        """Tell whether there is such an attribute."""
        return bool(h5a.exists(self._id, name.encode()))

    def text(self, name: str) -> str:
        """Return a text."""
        value = self._value(name)
        if not isinstance(value, bytes):
            raise ValueError(f"{name} is not a text")
        return value.decode()

    def whole(self, name: str, least: int, most: int = 2**63 - 1) -> int:
        """Return a whole number from ``least`` to ``most``."""
        value = self._value(name)
        if not isinstance(value, np.integer) or not least <= value <= most:
            raise ValueError(f"{name} is not a whole number from {least} to {most}")
        return int(value)

    def number(self, name: str, least: float = 0.0, most: float = 1e12) -> float:
        """Return a finite number from ``least`` to ``most``."""
        value = self._value(name)
        if not isinstance(value, np.integer | np.floating) or not least <= value <= most:
            raise ValueError(f"{name} is not a number from {least:g} to {most:g}")
        return float(value)

    def mapping(self, name: str) -> dict[str, Any]:
        """Return a JSON object."""
        value = from_json(self.text(name))
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

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a JSON list of texts."""
        return _texts(from_json(self.text(name)), name)

    def labels(self) -> LabelSet:
        """Return the label set."""
        value = self.mapping("labels")
        names, background = _texts(value["names"], "labels"), value["background"]
        if not isinstance(background, str):
            raise ValueError("the background's name is not a text")
        try:
            return LabelSet(names, background)
        except UsageError as error:
            raise ValueError(str(error)[:200]) from error

    def frame_size(self) -> tuple[int, int] | None:
        """Return the shown (width, height) in pixels, None without a picture."""
        value = from_json(self.text("frame_size"))
        if value is None:
            return None
        if not _is_pixels(value):
            raise ValueError(f"frame_size is {value!r:.60}, not a width and a height in pixels")
        return value[0], value[1]

    def spec(self, name: str) -> dict[str, Any]:
        """Return a feature spec."""
        return checked_spec(self.mapping(name))

    def _value(self, name: str) -> object:
        attribute = h5a.open(self._id, name.encode())
        dtype = attribute.dtype
        is_text = dtype.kind == "O" and h5py.check_string_dtype(dtype) is not None
        if attribute.shape != () or not (is_text or dtype.kind in "iuf"):
            raise ValueError(f"{name} is neither a text nor a number")
        holder = np.empty((), dtype)
        attribute.read(holder)
        return holder[()]


def checked_spec(spec: object) -> dict[str, Any]:
    """Return a feature spec whose values are of the types that a spec's are.

    Only types and the sampling rate's range: what the values mean is for those who extract.

    Raises:
        ValueError: one is not.
    """
    if not isinstance(spec, dict):
        raise ValueError("the feature spec is not a JSON object")
    for name, value in spec.items():
        if name in ("fps", "segment_seconds", "rules"):
            is_right = _is_number(value) and 0 < value <= (_MAX_FPS if name == "fps" else 1e6)
        else:
            is_right = _is_pixels(value) if name == "size" else isinstance(value, str)
        if not is_right:
            raise ValueError(f"the feature spec's {name!r:.60} cannot be {value!r:.60}")
    return spec


def from_json(text: str) -> Any:
    """Read back what `avloc.artifacts.hdf5.to_json` wrote.

    Raises:
        ValueError: it is not JSON, absurdly long, or nested too deeply.
    """
    if len(text) > MAX_JSON:
        raise ValueError(f"it has {len(text)} characters of JSON, more than {MAX_JSON}")
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate could not be shown
    except RecursionError:
        raise ValueError("its JSON is nested too deeply") from None
    return value


def _texts(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError(f"{name} is not a list of texts")
    return tuple(value)


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
