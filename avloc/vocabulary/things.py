"""The things that a label names: its words and phrases that are WordNet's nouns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from avloc.vocabulary.nouns import nouns
from avloc.vocabulary.words import FILLERS, singulars, stem, tokens

LONGEST_PHRASE = 4


@dataclass(frozen=True)
class Thing:
    """A noun of a label.

    Attributes:
        stems: the stems of its words.
        senses: (number, WordNet offset), the most frequent first.
    """

    text: str
    stems: frozenset[str]
    senses: tuple[tuple[int, int], ...]

    @property
    def kind(self) -> str:
        """What its most frequent sense is: animal, artifact, person, ..."""
        return nouns().synset(self.senses[0][1]).kind


def things_in(text: str) -> list[Thing]:
    """Return the nouns of a text, the longest phrases first, left to right."""
    words = tokens(text)
    things, position = [], 0
    while position < len(words):
        thing, length = _longest(words, position)
        if thing is not None:
            things.append(thing)
        position += length
    return things


def _longest(words: Sequence[str], start: int) -> tuple[Thing | None, int]:
    for length in range(min(LONGEST_PHRASE, len(words) - start), 0, -1):
        part = words[start : start + length]
        if length == 1 and (part[0] in FILLERS or part[0].endswith("ing")):
            break
        for last in singulars(part[-1]):
            senses = nouns().senses("_".join([*part[:-1], last]))
            if senses:
                stems = frozenset(map(stem, part))
                return Thing(" ".join([*part[:-1], last]), stems, tuple(senses)), length
    return None, 1
