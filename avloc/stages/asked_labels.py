"""The labels that a user asks for, and what is said of those that the encoders do not know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from avloc.errors import UsageError
from avloc.vocabulary import LabelMapping

MOST_NAMED = 5
"""Labels that a line names."""


def clean_labels(labels: Iterable[str]) -> list[str]:
    """Return labels without surrounding space, each once; UsageError if one is empty."""
    names = list(dict.fromkeys(" ".join(label.split()) for label in labels))
    if not all(names):
        raise UsageError("a label is empty", "Name what to look for: --label 'dog barking'.")
    return names


def read_lines(path: Path) -> list[str]:
    """Return the labels of a text file, one a line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", "Write one label a line.") from error
    return [line for line in text.splitlines() if line.strip()]


def nothing_matches(mapping: LabelMapping) -> str:
    """Say that a label means nothing here, and what is near."""
    nearest = f" Nearest: {', '.join(mapping.nearest)}." if mapping.nearest else ""
    return f"{mapping.label!r} matches nothing that the encoders know.{nearest}"


def nothing_known(mappings: Sequence[LabelMapping]) -> UsageError:
    """Return the error where no label means anything."""
    return UsageError(
        "no label matches anything that the encoders know",
        " ".join(nothing_matches(mapping) for mapping in mappings[:MOST_NAMED])
        + " avloc open --map FILE names classes for a label.",
    )


def one_sense_only(mappings: Sequence[LabelMapping]) -> list[str]:
    """Return lines that name the labels for which one sense abstains."""
    lines = []
    for sense, other in (("heard", "seen"), ("seen", "heard")):
        names = [m.label for m in mappings if not getattr(m, sense) and getattr(m, other)]
        if names:
            lines.append(f"known only where {other}, since nothing {sense} matches: {named(names)}")
    return lines


def named(names: Sequence[str]) -> str:
    """Return names in a line: the first of them, and how many more there are."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
