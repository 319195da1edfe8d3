"""From a user's words to the classes that the two taggers know."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from functools import cache

from avloc.errors import UnknownNameError, UsageError
from avloc.vocabulary.class_names import audioset_names, imagenet_first_names
from avloc.vocabulary.class_weights import ClassWeight, LabelMapping, strongest
from avloc.vocabulary.corrections import Correction, Corrections
from avloc.vocabulary.heard import heard_by_name, heard_by_parents, heard_by_phrases
from avloc.vocabulary.phrases import match
from avloc.vocabulary.seen import seen_by_nouns, seen_by_phrases
from avloc.vocabulary.similarity import Source, similar_classes
from avloc.vocabulary.things import things_in
from avloc.vocabulary.words import alternatives, stems, tokens

Rule = Callable[[str], list[ClassWeight]]
N_NEAREST = 5
N_SIMILAR = 4
LEAST_SIMILAR = 0.7
"""A text less similar to a class name means something else: ``boiler`` is not ``boiling``."""
MARGIN = 0.08


def map_labels(labels: Sequence[str], corrections: Corrections | None = None) -> list[LabelMapping]:
    """Map each label to classes of AudioSet and of ImageNet.

    Args:
        labels: words of the user: ``dog barking``, ``race car, auto racing``.
        corrections: what `read_corrections` read; it replaces the automatic mapping. A file may
            serve several lists of labels, but one that names no label here is an error.
    """
    corrections = corrections or {}
    if corrections and not set(corrections) & set(labels):
        raise UnknownNameError("label (of the map file)", min(corrections), labels)
    for label in labels:
        if not tokens(label):
            raise UsageError(f"a label must have a word, got {label!r}")
    return [_corrected(_map_label(label), corrections.get(label)) for label in labels]


def _corrected(mapping: LabelMapping, correction: Correction | None) -> LabelMapping:
    if correction is None:
        return mapping
    heard = mapping.heard if correction.heard is None else correction.heard
    seen = mapping.seen if correction.seen is None else correction.seen
    return LabelMapping(mapping.label, heard, seen, () if heard or seen else mapping.nearest)


@cache
def _map_label(label: str) -> LabelMapping:
    heard = _first_answer(label, (heard_by_phrases, heard_by_parents, _heard_by_similarity))
    heard = strongest([*heard_by_name(label), *heard])
    seen = _first_answer(label, (seen_by_phrases, seen_by_nouns, _seen_by_similarity))
    nearest = () if heard or seen else _nearest_names(label)
    return LabelMapping(label, heard, seen, nearest)


def _first_answer(label: str, rules: Sequence[Rule]) -> tuple[ClassWeight, ...]:
    """Return the classes of the first rule that finds any for any part of the label."""
    for rule in rules:
        found = strongest(weight for part in alternatives(label) for weight in rule(part))
        if found:
            return found
    return ()


def _heard_by_similarity(text: str) -> list[ClassWeight]:
    return [] if match(stems(text), "heard") else _similar(text, "AudioSet")


def _seen_by_similarity(text: str) -> list[ClassWeight]:
    """Return the classes of similar names, unless the text is known to have none, or a person."""
    abstains = bool(match(stems(text), "seen"))
    person = any(thing.kind == "person" for thing in things_in(text))
    return [] if abstains or person else _similar(text, "ImageNet")


def _similar(text: str, source: Source) -> list[ClassWeight]:
    nearest = similar_classes(text, source)[:N_SIMILAR]
    least = max(LEAST_SIMILAR, nearest[0][0] - MARGIN)
    return [
        ClassWeight(index, name, round(min(cosine, 1.0), 3), f"similar {cosine:.2f}")
        for cosine, index, name in nearest
        if cosine >= least
    ]


def _nearest_names(label: str) -> tuple[str, ...]:
    """Return the class names nearest in meaning, or in spelling where no word is known."""
    similar = sorted(similar_classes(label, "AudioSet") + similar_classes(label, "ImageNet"))[::-1]
    if similar[0][0] > 0:
        return tuple(dict.fromkeys(name for _, _, name in similar[: 2 * N_NEAREST]))[:N_NEAREST]
    names = [*audioset_names(), *imagenet_first_names()]
    by_lower = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(label.casefold(), by_lower, N_NEAREST, 0.5)
    return tuple(by_lower[name] for name in near)
