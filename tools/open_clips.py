"""A folder of clips with ``index.json``: what ``tools/open_table.py`` asks about, and the truth.

``index.json`` is a list of ``{"file": "x.mp4", "label": "dog barking"}`` with, for some clips,
``sounds`` (names of what is heard somewhere), ``sound_events`` (name, start and end in seconds),
and ``boxes`` (around the sounding thing, as fractions of the picture).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Box = tuple[float, float, float, float]
Span = tuple[float, float]
N_ABSENT = 10

UNNAMEABLE = frozenset(("Background noise", "Noise", "Mechanisms", "Generic impact sounds"))
"""Strong labels that name no sound: nobody asks for them."""
_NO_CONTENT = frozenset(
    ("a", "an", "and", "of", "on", "in", "the", "to", "with", "playing", "sound", "other")
)


@dataclass(frozen=True)
class Clip:
    """One clip of the folder and what is known of it."""

    path: Path
    label: str
    also: tuple[str, ...] = ()  # what else may be heard, in no particular words
    times: tuple[tuple[str, tuple[Span, ...]], ...] = ()  # of each strong label
    boxes: tuple[Box, ...] = ()


def read_clips(folder: Path) -> list[Clip]:
    """Return the clips of a folder's index, in its order; missing files are left out."""
    entries = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    return [_clip(folder, entry) for entry in entries if (folder / entry["file"]).is_file()]


def _clip(folder: Path, entry: dict) -> Clip:
    times: dict[str, list[Span]] = {}
    for event in entry.get("sound_events", ()):
        times.setdefault(event["label"], []).append((event["start"], event["end"]))
    boxes = [tuple(box) for of in entry.get("boxes", ()) for box in of["boxes"]]
    return Clip(
        path=folder / entry["file"],
        label=entry["label"],
        also=(*entry.get("sounds", ()), *times),
        times=tuple((name, tuple(s)) for name, s in times.items() if name not in UNNAMEABLE),
        boxes=tuple(boxes),
    )


def timed_clip(path: str, label: str, spans: str) -> Clip:
    """Return a clip of which one label's times are known: ``1.28-3.99,4.82-7.28``."""
    pairs = [tuple(map(float, part.split("-"))) for part in spans.split(",")]
    if any(len(pair) != 2 or pair[0] >= pair[1] for pair in pairs):
        raise ValueError(f"{spans!r} is not START-END,START-END in seconds")
    return Clip(Path(path), label, times=((label, tuple((a, b) for a, b in pairs)),))


def labels_of(clips: Iterable[Clip]) -> list[str]:
    """Return the clips' labels, each once."""
    return list(dict.fromkeys(clip.label for clip in clips))


def absent_labels(clip: Clip, labels: Sequence[str], classes: dict[str, set]) -> list[str]:
    """Return ten labels of other clips that are not in a clip.

    A label is left out if it shares a word with the clip's label or sounds, or a class of the
    taggers (``classes`` of each label). A hash of the two names decides which ten of the others.
    """
    names = (clip.label, *clip.also)
    said = set().union(*map(words, names))
    known = set().union(*(classes.get(name, set()) for name in names))
    others = [label for label in labels if not words(label) & said and not classes[label] & known]
    return sorted(others, key=lambda label: _hash(f"{clip.path.name} {label}"))[:N_ABSENT]


def words(label: str) -> set[str]:
    """Return the content words of a label, without the endings -s and -ing."""
    found = re.findall(r"[a-z]+", label.lower())
    return {re.sub(r"(ing|s)$", "", word) for word in found if word not in _NO_CONTENT}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
