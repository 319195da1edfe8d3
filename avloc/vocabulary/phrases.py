"""Phrases whose classes are known: ``data/phrases.tsv``, and the class names of AudioSet.

A phrase is a set of word stems. A label has every phrase whose stems it contains, except
those that a longer phrase of the same label contains: ``guitar tapping`` is not ``tapping``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from avloc.vocabulary.class_names import audioset_names, data_text, imagenet_first_names
from avloc.vocabulary.nouns import nouns
from avloc.vocabulary.words import alternatives, stems

Sense = Literal["heard", "seen"]
Stems = frozenset[str]
Classes = tuple[tuple[int, float], ...]
"""Class indices with weights."""


@dataclass(frozen=True)
class Phrase:
    """A phrase and its classes: None where nothing is said, empty where the sense abstains."""

    text: str
    stems: Stems
    heard: Classes | None
    seen: Classes | None

    def classes(self, sense: Sense) -> Classes | None:
        """Return the classes of a sense."""
        return self.heard if sense == "heard" else self.seen


@cache
def phrases() -> dict[Stems, Phrase]:
    """Return all phrases by their stems. A curated one replaces a class name."""
    table: dict[Stems, Phrase] = {}
    for index, name in enumerate(audioset_names()):
        for text in alternatives(name):
            key = frozenset(stems(text))
            table.setdefault(key, Phrase(text, key, ((index, 1.0),), None))
    curated: dict[Stems, Phrase] = {}
    for line in data_text("phrases.tsv").splitlines():
        if line and not line.startswith("#"):
            words, heard, seen = line.split("\t")
            classes = heard_classes(heard), seen_classes(seen)
            for text in words.split(" / "):
                key = frozenset(stems(text))
                curated.setdefault(key, Phrase(text, key, *classes))
    for key, phrase in curated.items():
        if phrase.heard is None and key in table:
            phrase = Phrase(phrase.text, key, table[key].heard, phrase.seen)
        table[key] = phrase
    return table


def match(words: Iterable[str], sense: Sense) -> list[Phrase]:
    """Return the phrases in a label's stems that say something of a sense, the longest first."""
    have = frozenset(words)
    found = [
        phrase
        for word in have
        for phrase in _by_one_stem().get(word, ())
        if phrase.stems <= have and phrase.classes(sense) is not None
    ]
    longest = [one for one in found if not any(one.stems < other.stems for other in found)]
    return sorted(longest, key=lambda phrase: (-len(phrase.stems), phrase.text))


@cache
def _by_one_stem() -> dict[str, list[Phrase]]:
    """Return each phrase under one of its stems: only those need to be looked at."""
    table: dict[str, list[Phrase]] = {}
    for phrase in phrases().values():
        table.setdefault(min(phrase.stems), []).append(phrase)
    return table


def heard_classes(column: str) -> Classes | None:
    """Read AudioSet classes: ``Bark; Dog 0.9``."""
    items = _items(column)
    return None if items is None else tuple((_heard_index()[name], w) for name, w in items)


@cache
def _heard_index() -> dict[str, int]:
    return {name: index for index, name in enumerate(audioset_names())}


def seen_classes(column: str) -> Classes | None:
    """Read ImageNet classes: first names, and ``*word`` for every class below a word."""
    items = _items(column)
    if items is None:
        return None
    classes: list[tuple[int, float]] = []
    for name, weight in items:
        indices = (
            nouns().classes_below_word(name[1:])
            if name.startswith("*")
            else [_by_first_name()[name]]
        )
        classes.extend((index, weight) for index in indices)
    return tuple(classes)


def _items(column: str) -> list[tuple[str, float]] | None:
    if not column:
        return None
    items = []
    for item in column.split(";") if column != "-" else ():
        name, _, last = item.strip().rpartition(" ")
        try:
            items.append((name, float(last)))
        except ValueError:
            items.append((item.strip(), 1.0))
    return items


@cache
def _by_first_name() -> dict[str, int]:
    first: dict[str, int] = {}
    for index, name in enumerate(imagenet_first_names()):
        first.setdefault(name, index)
    return first
