"""Folders of photographs and of recordings: their classes, and which file is for which split.

A file belongs to one split for good, so that no clip of the test split shows or plays what a
training clip did. Takes of one recording (``1-172649-A.ogg``, ``1-172649-B.ogg``) stay together.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from hashlib import sha256
from pathlib import Path

from avloc.datasets.dataset import SPLITS
from avloc.datasets.fields import checked_label
from avloc.errors import DatasetError
from avloc.media import AUDIO_SUFFIXES

PICTURE_SUFFIXES = frozenset((".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))
SOUND_SUFFIXES = AUDIO_SUFFIXES
SHARES = {"val": 0.2, "test": 0.2}
"""Of a class's files; the rest is for training."""
TAKE = re.compile(r"-[A-Za-z]$")
"""How the names of several takes of one recording differ at their ends."""
ANOTHER_FILE = "Take it out of the folder, or get it again."

Parts = dict[str, tuple[str, ...]]
"""By split, file names relative to the folder of all classes."""


def common_classes(pictures: Path, sounds: Path) -> tuple[str, ...]:
    """Return the names of the sub-folders that both folders have, sorted.

    Raises:
        DatasetError: a folder is not there, they share fewer than two names, or a name cannot
            be a label.
    """
    seen, heard = (_names(folder, is_folder=True) for folder in (pictures, sounds))
    labels = sorted(set(seen) & set(heard))
    if len(labels) < 2:
        raise DatasetError(
            f"shares {len(labels)} sub-folder names with {sounds}, and it takes two classes",
            pictures,
            hint="A class is a sub-folder of the same name in both folders.",
        )
    for label in labels:
        try:
            if "&" in label or label != label.strip():
                raise ValueError(f"{label!r} does not go into Annotations.txt")
            checked_label(label)
        except ValueError as error:
            raise DatasetError(
                f"is no class ({error})", pictures / label, hint="Rename both sub-folders."
            ) from error
    return tuple(labels)


def parts_of(root: Path, label: str, suffixes: frozenset[str]) -> Parts:
    """Share a class's files out to the splits: by their names alone, not by any seed.

    Args:
        root: the folder of all classes.
        label: the class.
        suffixes: of the files that count; others, and hidden ones, are left alone.

    Raises:
        DatasetError: there are too few for a file a split.
    """
    names = [
        name
        for name in _names(root / label, is_folder=False)
        if Path(name).suffix.lower() in suffixes
    ]
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[TAKE.sub("", Path(name).stem)].append(f"{label}/{name}")
    if len(groups) < len(SPLITS):
        raise DatasetError(
            f"has {len(groups)} files that are not takes of one another, "
            f"and every split needs its own, so {len(SPLITS)} at least",
            root / label,
            hint=f"Add some; files are known by suffix: {' '.join(sorted(suffixes))}.",
        )
    shuffled = sorted(groups, key=lambda stem: sha256(os.fsencode(f"{label}/{stem}")).digest())
    return _shared_out([groups[stem] for stem in shuffled], len(names))


def fingerprint(root: Path, parts: list[Parts]) -> str:
    """Return a digest of the files' names and sizes, and of the split each is for."""
    digest = sha256()
    for part in parts:
        for split in SPLITS:
            for name in part[split]:
                size = (root / name).stat().st_size
                digest.update(os.fsencode(f"{split}\0{name}\0{size}\n"))
    return digest.hexdigest()


def _shared_out(groups: list[list[str]], n_files: int) -> Parts:
    """Fill validation and test in turn, then training; each gets a group at least."""
    waiting = list(groups)
    parts: Parts = {}
    for split, share in SHARES.items():
        taken = waiting.pop()
        n_others = len(SPLITS) - 1 - len(parts)
        while len(taken) + len(waiting[-1]) <= share * n_files and len(waiting) > n_others:
            taken = taken + waiting.pop()
        parts[split] = tuple(sorted(taken))
    parts["train"] = tuple(sorted(name for group in waiting for name in group))
    return parts


def _names(folder: Path, *, is_folder: bool) -> list[str]:
    """Return what is in a folder, sorted, without hidden names."""
    try:
        paths = list(folder.iterdir())
    except OSError as error:
        raise DatasetError(
            f"cannot be read: {error.strerror or error}",
            folder,
            hint="It must be a folder with a sub-folder a class.",
        ) from error
    found = [path.name for path in paths if (path.is_dir() if is_folder else path.is_file())]
    return sorted(name for name in found if not name.startswith("."))
