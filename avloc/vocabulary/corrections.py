"""A user's map file: which classes a label means, where the automatic mapping is wrong.

::

    ["dog barking"]
    heard = {"Bark" = 1.0, "Dog" = 0.5}   # AudioSet's classes, with weights
    seen = ["*dog"]                       # ImageNet's; *word is every class below a word

    [sunset]
    heard = []                            # this sense abstains

A sense that a table does not name keeps its automatic mapping.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from avloc.errors import DatasetError
from avloc.vocabulary.class_names import audioset_names, imagenet_first_names, imagenet_names
from avloc.vocabulary.class_weights import ClassWeight, strongest
from avloc.vocabulary.nouns import nouns

REASON = "map file"
SENSES = ("heard", "seen")
N_NEAR = 3


@dataclass(frozen=True)
class Correction:
    """The classes of each sense; None keeps the automatic mapping, empty abstains."""

    heard: tuple[ClassWeight, ...] | None = None
    seen: tuple[ClassWeight, ...] | None = None


Corrections = Mapping[str, Correction]


def read_corrections(path: Path) -> dict[str, Correction]:
    """Read a map file. Every class name and weight is checked."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(f"is not a readable map file: {reason}", path) from error
    return {label: _correction(label, table, path) for label, table in tables.items()}


def _correction(label: str, table: Any, path: Path) -> Correction:
    if not isinstance(table, dict) or not table or set(table) - set(SENSES):
        raise DatasetError(
            f"[{label}] must have 'heard' or 'seen', and nothing else",
            path,
            hint='For example: heard = {"Bark" = 1.0} and seen = ["*dog"].',
        )
    heard, seen = (table.get(sense) for sense in SENSES)
    return Correction(
        None if heard is None else _classes(heard, heard_class, f"[{label}] heard", path),
        None if seen is None else _classes(seen, seen_classes, f"[{label}] seen", path),
    )


def _classes(
    value: Any, look_up: Callable[[str], Iterable[tuple[int, str]]], where: str, path: Path
) -> tuple[ClassWeight, ...]:
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        value = dict.fromkeys(value, 1.0)
    if not isinstance(value, dict):
        raise DatasetError(f"{where} must be a list of class names, or names with weights", path)
    weights: list[ClassWeight] = []
    for name, weight in value.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 1:
            raise DatasetError(
                f"{where}: the weight of {name!r} must be in (0, 1], got {weight}", path
            )
        try:
            found = look_up(name)
        except KeyError as error:
            raise DatasetError(f"{where}: {error.args[0]}", path, hint=error.args[1]) from None
        weights.extend(ClassWeight(index, each, float(weight), REASON) for index, each in found)
    return strongest(weights)


def heard_class(name: str) -> list[tuple[int, str]]:
    """Return index and name of an AudioSet class, whatever its case."""
    names = audioset_names()
    by_lower = {each.casefold(): index for index, each in enumerate(names)}
    if name.casefold() not in by_lower:
        raise _unknown("AudioSet", name, names)
    index = by_lower[name.casefold()]
    return [(index, names[index])]


def seen_classes(name: str) -> list[tuple[int, str]]:
    """Return the ImageNet classes of a name, or below ``*word``."""
    names = imagenet_first_names()
    if name.startswith("*"):
        indices = nouns().classes_below_word(name[1:].strip())
        if not indices:
            raise KeyError(f"no ImageNet class is below the word {name[1:]!r}", "")
        return [(index, names[index]) for index in indices]
    by_name = _by_any_name()
    if name.casefold() not in by_name:
        raise _unknown(
            "ImageNet", name, [each for row in imagenet_names() for each in row.split(", ")]
        )
    return [(index, names[index]) for index in by_name[name.casefold()]]


@cache
def _by_any_name() -> dict[str, list[int]]:
    """Return the classes of each name; a first name goes before other classes' synonyms."""
    first: dict[str, list[int]] = {}
    others: dict[str, list[int]] = {}
    for index, row in enumerate(imagenet_names()):
        for position, name in enumerate(row.casefold().split(", ")):
            (others if position else first).setdefault(name, []).append(index)
    return others | first


def _unknown(source: str, name: str, known: Iterable[str]) -> KeyError:
    by_lower = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name.casefold(), by_lower, N_NEAR, 0.5)
    containing = [each for lower, each in by_lower.items() if name.casefold() in lower]
    names = list(dict.fromkeys([*(by_lower[each] for each in near), *containing]))[:N_NEAR]
    hint = f"Near are: {'; '.join(names)}." if names else ""
    return KeyError(f"{source} has no class {name!r}", hint)
