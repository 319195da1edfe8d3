"""From a label to AudioSet's classes: known phrases, then WordNet's parents of its nouns."""

from __future__ import annotations

from functools import cache

from avloc.vocabulary.class_names import audioset_names
from avloc.vocabulary.class_weights import ClassWeight, weighted
from avloc.vocabulary.nouns import nouns
from avloc.vocabulary.phrases import phrases
from avloc.vocabulary.reading import phrases_in
from avloc.vocabulary.things import Thing, things_in
from avloc.vocabulary.words import stems

BESIDE_A_PHRASE = 0.5
"""Weight of a single word's classes in a label whose other words form a known phrase."""
PER_STEP = 0.1
MAX_STEPS = 5
SOUNDING_KINDS = frozenset({"animal", "artifact", "object", "phenomenon"})
"""Nouns of other kinds make no sound, whatever their parents are: a zucchini is a squash."""


def heard_by_phrases(text: str) -> list[ClassWeight]:
    """Return the classes of the known phrases in one reading of a label."""
    found = phrases_in(text, "heard")
    longest = max((len(phrase.stems) for phrase in found), default=1)
    weights: list[ClassWeight] = []
    for phrase in found:
        beside = BESIDE_A_PHRASE if len(phrase.stems) < longest else 1.0
        weights.extend(
            weighted(phrase.heard or (), audioset_names(), f"name: {phrase.text}", beside)
        )
    return weights


def heard_by_name(label: str) -> list[ClassWeight]:
    """Return the class that a label names exactly."""
    index = _index_of_name().get(label.casefold().strip())
    return [] if index is None else list(weighted(((index, 1.0),), audioset_names(), "name"))


@cache
def _index_of_name() -> dict[str, int]:
    return {name.casefold(): index for index, name in enumerate(audioset_names())}


def heard_by_parents(text: str) -> list[ClassWeight]:
    """Return the classes of the nearest known parent of each noun that no phrase covers."""
    covered = frozenset().union(*(phrase.stems for phrase in phrases_in(text, "heard")))
    weights: list[ClassWeight] = []
    for thing in things_in(text):
        if not thing.stems <= covered and thing.kind in SOUNDING_KINDS:
            weights.extend(_nearest_parent(thing))
    return weights


def _nearest_parent(thing: Thing) -> list[ClassWeight]:
    table, known = nouns(), phrases()
    for steps, offset in table.ancestors(thing.senses[0][1]):
        if steps > MAX_STEPS:
            break
        for word in table.synset(offset).words:
            phrase = known.get(frozenset(stems(word.replace("_", " "))))
            if phrase is not None and phrase.heard:
                reason, factor = f"parent: {phrase.text}", 1 - PER_STEP * (steps + 1)
                return list(weighted(phrase.heard, audioset_names(), reason, factor))
    return []
