"""WordNet 3.0's nouns for things that a picture can show, and ImageNet's classes among them.

WordNet is (c) Princeton University and free to use; its licence is in ``data/LICENSES.md``.
A synset is named by its offset in WordNet's noun file.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from avloc.vocabulary.class_names import data_bytes, imagenet_synsets


@dataclass(frozen=True)
class Synset:
    """One meaning: its words, and the synsets directly above it.

    Attributes:
        kind: WordNet's lexicographer file (animal, artifact, person, ...); empty for a
            synset that is only there as a parent.
    """

    offset: int
    kind: str
    parents: tuple[int, ...]
    words: tuple[str, ...]


class Nouns:
    """The table of synsets. Rows are read when they are asked for."""

    def __init__(self, text: str) -> None:
        self._rows: dict[int, str] = {}
        self._senses: dict[str, list[int]] = {}
        for line in text.splitlines():
            offset, _, rest = line.partition("\t")
            self._rows[int(offset)] = rest
            for numbered in rest[rest.rindex("\t") + 1 :].split():
                self._senses.setdefault(numbered[:-2], []).append(int(offset))

    def __contains__(self, offset: int) -> bool:
        return offset in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    @cache  # noqa: B019 - there is one table
    def synset(self, offset: int) -> Synset:
        """Return a synset by its offset."""
        kind, parents, numbered = self._rows[offset].split("\t")
        words = tuple(word[:-2] for word in numbered.split())
        return Synset(offset, kind, tuple(map(int, parents.split())), words)

    def senses(self, word: str) -> list[tuple[int, int]]:
        """Return (number, offset) of each sense of a word, the most frequent first.

        The words of a phrase are joined by ``_``. Senses that no picture shows are left out.
        """
        found = []
        for offset in self._senses.get(word, []):
            kind, _, numbered = self._rows[offset].split("\t")
            number = next(w[-1] for w in numbered.split() if w[:-2] == word)
            found.extend([(int(number), offset)] if kind else [])
        return sorted(found)

    def ancestors(self, offset: int) -> Iterator[tuple[int, int]]:
        """Yield (steps, offset) of the synset and of everything above it, the nearest first."""
        level, steps, seen = [offset], 0, {offset}
        while level:
            yield from ((steps, each) for each in level)
            above = (up for each in level for up in self.synset(each).parents)
            level = list(dict.fromkeys(up for up in above if up in self and up not in seen))
            seen.update(level)
            steps += 1

    @cached_property
    def classes_below(self) -> dict[int, tuple[int, ...]]:
        """The ImageNet classes at or below each synset that has any."""
        below: dict[int, list[int]] = defaultdict(list)
        for index, offset in enumerate(imagenet_synsets()):
            for _, above in self.ancestors(offset):
                below[above].append(index)
        return {offset: tuple(classes) for offset, classes in below.items()}

    def classes_below_word(self, word: str) -> tuple[int, ...]:
        """Return the ImageNet classes below the first sense of a word that has any."""
        senses = self.senses(word.casefold().replace(" ", "_"))
        below = (self.classes_below.get(offset, ()) for _, offset in senses)
        return next(filter(None, below), ())

    def is_below(self, offset: int, above: int) -> bool:
        """Say whether one synset is another, or below it."""
        return any(each == above for _, each in self.ancestors(offset))


@cache
def nouns() -> Nouns:
    """Return the table, read once."""
    return Nouns(gzip.decompress(data_bytes("nouns.tsv.gz")).decode("utf-8"))
