"""From a label to ImageNet's classes: known phrases, WordNet's classes below and near."""

from __future__ import annotations

from collections.abc import Iterable

from avloc.vocabulary.class_names import imagenet_first_names
from avloc.vocabulary.class_weights import ClassWeight, weighted
from avloc.vocabulary.nouns import nouns
from avloc.vocabulary.phrases import match
from avloc.vocabulary.reading import phrases_in
from avloc.vocabulary.things import Thing, things_in
from avloc.vocabulary.words import stems

TOO_MANY = 400
"""A noun with more classes below says nothing: *object*, *artifact*."""
PER_STEP = 0.15
MAX_STEPS = {"animal": 5, "plant": 3, "food": 2}
DEFAULT_STEPS = 1
MAX_CLASSES = {"animal": 130}
DEFAULT_CLASSES = 12
"""How many classes a parent may have: more and the word is not meant."""


def seen_by_phrases(text: str) -> list[ClassWeight]:
    """Return the classes of the known phrases in one reading of a label."""
    return [
        weight
        for phrase in phrases_in(text, "seen")
        for weight in weighted(phrase.seen or (), imagenet_first_names(), f"name: {phrase.text}")
    ]


def seen_by_nouns(text: str) -> list[ClassWeight]:
    """Return the classes at, below or near the nouns that no phrase of the table covers."""
    said = match(stems(text), "seen")
    covered = frozenset().union(*(phrase.stems for phrase in said))
    weights: list[ClassWeight] = []
    for thing in things_in(text):
        if not thing.stems <= covered:
            weights.extend(_classes_of(thing))
    return weights


def _classes_of(thing: Thing) -> list[ClassWeight]:
    table = nouns()
    for number, offset in thing.senses:
        below = table.classes_below.get(offset, ())
        is_class = len(below) == 1
        person = table.synset(offset).kind == "person"
        if below and len(below) < TOO_MANY and (is_class or not person) and number <= 2:
            return _all_of(below, 1.0, f"name: {thing.text}")
    return _classes_near(thing)


def _classes_near(thing: Thing) -> list[ClassWeight]:
    table, kind = nouns(), thing.kind
    for steps, offset in table.ancestors(thing.senses[0][1]):
        below = table.classes_below.get(offset, ())
        if steps > MAX_STEPS.get(kind, DEFAULT_STEPS) or kind == "person":
            break
        if below and steps:
            if len(below) > MAX_CLASSES.get(kind, DEFAULT_CLASSES):
                break
            word = table.synset(offset).words[:1] or ("?",)
            weight = 1 - PER_STEP * steps
            reason = f"parent: {word[0].replace('_', ' ')}"
            return _all_of(below, weight, reason)
    return []


def _all_of(indices: Iterable[int], weight: float, reason: str) -> list[ClassWeight]:
    return list(weighted(((index, weight) for index in indices), imagenet_first_names(), reason))
