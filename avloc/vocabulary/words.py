"""The words of a label: alternatives, stems, and singular forms."""

from __future__ import annotations

import re
from collections.abc import Iterator

from avloc.vocabulary.class_names import data_text

FILLERS = frozenset(data_text("fillers.txt").split())
"""Words that say nothing about which class is meant."""


IRREGULAR = {
    "children": "child",
    "geese": "goos",
    "kids": "kid",
    "knives": "knif",
    "leaves": "leaf",
    "men": "man",
    "mice": "mous",
    "teeth": "tooth",
    "wings": "wing",
    "wolves": "wolf",
    "women": "woman",
    # nouns of their own: not what a crow, a bowl, a plane or a box does
    **{word: word for word in ("bowling", "boxing", "building", "crowing", "planing", "wedding")},
}


def alternatives(text: str) -> list[str]:
    """Return the parts of a label or class name that mean the same: ``donkey, ass braying``.

    Words in brackets belong to every part: ``Frying (food)`` is ``frying food``.
    """
    plain = re.sub(r"[_/]+", " ", text.casefold())
    inside = " ".join(re.findall(r"\(([^)]*)\)", plain)).replace(",", " ")
    parts = [part.strip() for part in re.sub(r"\([^)]*\)", " ", plain).split(",")]
    return [f"{part} {inside}".strip() for part in parts if part] or [plain.strip()]


def tokens(text: str) -> list[str]:
    """Return the words of a text in lower case; a hyphen joins two words."""
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)?", text.casefold().replace("'s", ""))


def stem(word: str) -> str:
    """Return what is left of a word without plural, ``-ing``, ``-ed``, final e and doubling."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) <= 3:
        return word
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) > 2 and re.search("[aeiouy]", rest):
            return _without_doubling(rest.removesuffix("e"))
    return _without_doubling(_singular(word).removesuffix("e"))


def _without_doubling(word: str) -> str:
    doubled = len(word) > 3 and word[-1] == word[-2] and word[-1] != "s"
    return word[:-1] if doubled else word


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if re.search("(s|x|ch|sh|z)es$", word):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def stems(text: str) -> tuple[str, ...]:
    """Return the stems of a text's words, without fillers unless nothing else is there."""
    words = tokens(text)
    return tuple(stem(word) for word in words if word not in FILLERS) or tuple(map(stem, words))


def singulars(word: str) -> Iterator[str]:
    """Yield the word and what its singular may be, for a look-up in a dictionary."""
    yield word
    if word.endswith("s"):
        yield word[:-1]
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("ves"):
        yield word[:-3] + "f"
    if word.endswith("men"):
        yield word[:-3] + "man"


def dictionary_forms(word: str) -> Iterator[str]:
    """Yield what a dictionary may have of a word: singular, or verb without its ending."""
    yield from singulars(word)
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) > 1:
            yield rest
            yield rest + "e"
            yield rest[:-1]
