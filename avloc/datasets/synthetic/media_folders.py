"""Folders of photographs and recordings: their classes, and which file is for which split.

Takes of one recording (``1-172649-A.ogg``, ``1-172649-B.ogg``) stay in one split.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path

from avloc.datasets.dataset import SPLITS
from avloc.datasets.fields import checked_label
from avloc.errors import DatasetError

PICTURE_SUFFIXES = frozenset((".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))
SHARES = {"val": 0.2, "test": 0.2}
"""Of a class's files; the rest is for training."""
TAKE = re.compile(r"-[A-Za-z]$")
"""The end of a file's stem that tells several takes of one recording apart."""

FilesBySplit = dict[str, tuple[str, ...]]
"""File names of one class, relative to the folder of all classes."""


def common_classes(pictures: Path, sounds: Path) -> tuple[str, ...]:
    """Return the sorted names of the sub-folders of both folders, or refuse with a DatasetError."""
    labels = sorted(set(_names(pictures, Path.is_dir)) & set(_names(sounds, Path.is_dir)))
    if len(labels) < 2:
        raise DatasetError(
            f"shares {len(labels)} sub-folder names with {sounds}, but two classes are needed",
            pictures,
            hint="A class is a sub-folder of the same name in both folders.",
        )
    for label in labels:
        try:
            if "&" in label or label != label.strip():
                raise ValueError(f"{label!r} cannot be written to Annotations.txt")
            checked_label(label)
        except ValueError as error:
            raise DatasetError(
                f"is not a class ({error})", pictures / label, hint="Rename both sub-folders."
            ) from error
    return tuple(labels)


def split_files(root: Path, label: str, suffixes: frozenset[str]) -> FilesBySplit:
    """Assign a class's files to the splits by their names alone, independent of any seed."""
    files = [n for n in _names(root / label, Path.is_file) if Path(n).suffix.lower() in suffixes]
    takes: dict[str, list[str]] = defaultdict(list)
    for name in files:
        takes[TAKE.sub("", Path(name).stem)].append(f"{label}/{name}")
    if len(takes) < len(SPLITS):
        raise DatasetError(
            f"has {len(takes)} files that are not takes of one another, "
            f"and every split needs its own, so {len(SPLITS)} at least",
            root / label,
            hint=f"Add files with one of these suffixes: {' '.join(sorted(suffixes))}.",
        )
    shuffled = sorted(takes, key=lambda stem: sha256(os.fsencode(f"{label}/{stem}")).digest())
    groups = [takes[stem] for stem in shuffled]
    parts: FilesBySplit = {}
    for split, share in SHARES.items():
        taken = groups.pop()
        n_other_splits = len(SPLITS) - 1 - len(parts)
        while len(groups) > n_other_splits and len(taken) + len(groups[-1]) <= share * len(files):
            taken = taken + groups.pop()
        parts[split] = tuple(sorted(taken))
    parts["train"] = tuple(sorted(name for group in groups for name in group))
    return parts


def fingerprint(root: Path, classes: Iterable[FilesBySplit]) -> str:
    """Return a digest of all files' names, sizes and splits."""
    digest = sha256()
    for files in classes:
        for split in SPLITS:
            for name in files[split]:
                size = (root / name).stat().st_size
                digest.update(os.fsencode(f"{split}\0{name}\0{size}\n"))
    return digest.hexdigest()


def unusable(path: Path, message: str) -> DatasetError:
    """Return the error for a photograph or recording that cannot be used."""
    return DatasetError(message, path, hint="Remove the file from the folder, or replace it.")


def _names(folder: Path, is_wanted: Callable[[Path], bool]) -> list[str]:
    """Return the sorted names in a folder, without hidden ones."""
    try:
        paths = list(folder.iterdir())
    except OSError as error:
        raise DatasetError(
            f"cannot be read: {error.strerror or error}",
            folder,
            hint="It must be a folder with one sub-folder per class.",
        ) from error
    return sorted(path.name for path in paths if path.name[0] != "." and is_wanted(path))
