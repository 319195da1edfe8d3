"""What the fields of an artifact may hold, and the JSON that all but arrays are stored as.

A dataclass declares its fields by their types; `Annotated` adds a `Range` to a number and says
with `Array` that a field is stored as an array. Every refusal is a ValueError in words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass, replace
from fractions import Fraction
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from avloc.errors import UsageError
from avloc.spec import FeatureSpec

MAX_JSON = 2**22
"""Bytes: four million hold 250,000 video ids, and take 200 MB at the very worst."""
_WORDS = {str: "a text", int: "a whole number", float: "a number"}


@dataclass(frozen=True)
class Range:
    """The smallest and the largest number that a field may have."""

    least: float
    most: float = 2**63 - 1


@dataclass(frozen=True)
class Array:
    """A field that is an array, or a group of arrays if its type is a mapping."""

    # Letters of the glossary (``"T H W Dv"``) or numbers; None for any. The first array that has
    # a letter sets its size, every other must agree.
    shape: str | None = None
    kinds: str = ""  # of its numbers, as NumPy's letters; by default those of the field's type
    is_small: bool = False  # it is read even where only headers are
    may_be_nan: bool = False


Seconds = Annotated[float, Range(0, 1e12)]
SegmentSeconds = Annotated[float, Range(1e-6, 1e6)]
_Pixels = Annotated[int, Range(1, 10**6)]
FrameSize = tuple[_Pixels, _Pixels] | None


@cache
def types_of(kind: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields by name, with what `Annotated` adds."""
    return get_type_hints(kind, include_extras=True)


@cache
def array_of(kind: Any) -> Array | None:
    """Return how a field of a type is stored as an array; None if the header holds it."""
    stored, *notes = get_args(kind) if get_origin(kind) is Annotated else (kind,)
    if not (notes and isinstance(notes[0], Array)):
        return None
    return replace(notes[0], kinds=notes[0].kinds or _kinds(stored) or "fiub")


def _kinds(stored: Any) -> str:
    if isinstance(stored, type) and issubclass(stored, np.generic):
        kind = np.dtype(stored).kind
        return "iu" if kind in "iu" else kind
    return "".join(_kinds(part) for part in get_args(stored))


def header_fields(header: object, types: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that are not arrays; a spec must have the header's ``fingerprint``."""
    values = _object(header, "its header")
    fields = {}
    for name in (name for name, kind in types.items() if array_of(kind) is None):
        if name not in values:
            raise ValueError(f"it does not say its {name}")
        fields[name] = field = typed(values[name], types[name], name)
        if isinstance(field, FeatureSpec) and field.fingerprint != values.get("fingerprint"):
            stated = f"{values.get('fingerprint')!r:.60}"
            raise ValueError(f"its fingerprint is {stated}, and its spec's {field.fingerprint}")
    return fields


def typed(value: Any, kind: Any, name: str) -> Any:
    """Return a JSON value as one of a type; ValueError if it is of another or out of range."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        number, limits = typed(value, arguments[0], name), arguments[1]
        if not limits.least <= number <= limits.most:
            raise ValueError(f"{name} is {number}, not from {limits.least:g} to {limits.most:g}")
        return number
    if origin in (Union, UnionType):
        return None if value is None else typed(value, arguments[0], name)
    if origin is tuple:
        return _tuple(value, arguments, name)
    if origin is Mapping:
        values = _object(value, name).items()
        return {key: typed(item, arguments[1], f"{name} {key!r:.60}") for key, item in values}
    if kind is Fraction:
        # Fraction itself takes "1e999999999", and then fills the memory with that number
        if type(value) is not str or not re.fullmatch("[0-9]{1,18}(/0*[1-9][0-9]{0,17})?", value):
            raise ValueError(f"{name} is {value!r:.60}, not a fraction")
        return Fraction(value)
    if is_dataclass(kind):
        return _instance(value, kind, name)
    return _scalar(value, kind, name)


def to_json(value: object) -> str:
    """Return canonical JSON; of dataclasses, fractions and numpy's numbers as well."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=_plain)


def from_json(text: str) -> Any:
    """Read JSON; refuse what is very long, nested very deeply, or could not be printed."""
    if len(text) > MAX_JSON:
        raise ValueError(f"it has {len(text)} characters of JSON, more than {MAX_JSON}")
    try:
        value = json.loads(text)
        if "\\ud" in text.lower():  # perhaps half of a surrogate pair
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("its JSON is nested too deeply") from None
    return value


def _scalar(value: Any, kind: Any, name: str) -> Any:
    if get_origin(kind) is Literal:
        words = get_args(kind)
        if value not in words:
            raise ValueError(f"{name} is {value!r:.60}, not one of: {', '.join(words)}")
    elif kind is not object and not _is_of(value, kind):
        raise ValueError(f"{name} is {value!r:.60}, not {_WORDS[kind]}")
    return value


def _is_of(value: object, scalar: type) -> bool:
    if type(value) is int and scalar in (int, float):
        return abs(value) < 2**63  # larger ones cannot be a float
    return type(value) is scalar


def _tuple(value: object, kinds: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{name} is {value!r:.60}, not a list")
    if kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(value) != len(kinds):
        raise ValueError(f"{name} has {len(value)} values, not {len(kinds)}")
    return tuple(typed(item, kind, name) for item, kind in zip(value, kinds, strict=True))


def _object(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not a JSON object")
    return value


def _instance(value: object, kind: Any, name: str) -> Any:
    values, types = _object(value, name), types_of(kind)
    # A field that an older avloc did not write has its default, but a spec has all of its own,
    # except for those that were added when there were specs in files.
    is_exact = kind is FeatureSpec
    required = {
        entry.name
        for entry in fields(kind)
        if entry.default is MISSING or (is_exact and not entry.metadata.get("later"))
    }
    if odd := sorted((required - values.keys()) | (values.keys() - types.keys())):
        raise ValueError(f"{name} has missing or unknown fields: {odd!r:.200}")
    try:
        return kind(**{field: typed(values[field], types[field], field) for field in values})
    except UsageError as error:
        raise ValueError(f"{name}: {error.message:.200}") from error


def _plain(value: Any) -> object:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, FeatureSpec):
        return value.as_dict()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
