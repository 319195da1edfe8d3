"""Plain videos: a file, or a folder of files, with nothing known about what happens."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from avloc.datasets.dataset import Dataset
from avloc.datasets.fields import MAX_ID_BYTES, is_plain
from avloc.errors import DatasetError, MediaError
from avloc.labels import LabelSet
from avloc.media import video_files


def load_videos(path: Path) -> Dataset:
    """Name the videos of a folder, or one video file.

    A video's id is its file name without suffix. Where two would share it, each is named by
    its path inside the folder instead (``a/x.mp4`` becomes ``a__x``).

    Raises:
        DatasetError: there is no such file or folder, or no video in it.
    """
    if not path.exists():
        raise DatasetError("there is no such file or folder", path, hint=_hint(path))
    try:
        files = video_files(path)
    except MediaError as error:
        raise DatasetError(
            "holds no data set and no video",
            path,
            hint="A data set is a folder with Annotations.txt (AVE) or manifest.csv, a .csv, "
            ".tsv or .jsonl manifest, or videos.",
        ) from error
    root = path if path.is_dir() else path.parent
    return Dataset(path.name, path, LabelSet(()), (), _named(root, files))


def _hint(path: Path) -> str:
    is_address = re.match(r"\w+:/", str(path)) is not None
    return "avloc opens files only; download it first." if is_address else "Check the path."


def _named(root: Path, files: list[Path]) -> dict[str, Path]:
    n_sharing = Counter(_plain_name(file.stem) for file in files)
    named: dict[str, Path] = {}
    for file in files:
        for name in _names(file.relative_to(root), is_shared=n_sharing[_plain_name(file.stem)] > 1):
            if name not in named:
                named[name] = file
                break
    return named


def _names(inside: Path, is_shared: bool) -> Iterator[str]:
    """Yield the names a video may have, the plainest first."""
    if not is_shared:
        yield _plain_name(inside.stem)
    yield _plain_name("__".join(inside.with_suffix("").parts))
    long_name = _plain_name("__".join(inside.parts))
    yield long_name
    yield from (f"{long_name}-{number}" for number in count(2))


def _plain_name(text: str) -> str:
    """Return what of a name can be an id: see :func:`avloc.datasets.fields.checked_id`."""
    name = "".join(c if is_plain(c) and c not in "/\\" else "_" for c in text)
    name = f"_{name[1:]}" if name.startswith(".") else name
    return name.encode()[: MAX_ID_BYTES - 8].decode(errors="ignore")
