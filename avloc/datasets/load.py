"""One call for every kind of data set; videos without annotations are one of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from avloc.datasets.ave import ANNOTATIONS, N_SEGMENTS, load_ave
from avloc.datasets.dataset import Dataset
from avloc.datasets.fields import plain_name
from avloc.datasets.manifest import MANIFEST, MANIFEST_SUFFIXES, load_manifest
from avloc.datasets.synthetic.truth import read_config
from avloc.errors import DatasetError, MediaError
from avloc.labels import LabelSet
from avloc.media import video_files


def load_dataset(path: Path | str) -> Dataset:
    """Read the data set at a path; a DatasetError names the file and line that is wrong.

    ============================================  ===================================
    a folder with ``Annotations.txt``             AVE's layout
    a ``.txt`` file                               the same, with another file of rows
    a ``.csv``, ``.tsv`` or ``.jsonl`` file,      a manifest
    or a folder with ``manifest.csv``
    any other folder or file                      its videos, without rows
    ============================================  ===================================
    """
    path = Path(path)
    if (path / ANNOTATIONS).is_file():
        return _load_ave(path, ANNOTATIONS)
    if path.suffix.lower() == ".txt" and path.is_file():
        return _load_ave(path.parent, path.name)
    if path.suffix.lower() in MANIFEST_SUFFIXES and not path.is_dir():
        return load_manifest(path)
    if (path / MANIFEST).is_file():
        return load_manifest(path / MANIFEST)
    return load_videos(path)


def _load_ave(root: Path, annotations: str) -> Dataset:
    made_with = read_config(root)
    return load_ave(root, made_with.seconds if made_with else N_SEGMENTS, annotations)


def load_videos(path: Path) -> Dataset:
    """Return the videos of a folder, or one video file, as a data set without rows.

    A video's id is its file name without suffix; videos that would share one are named by their
    paths inside the folder (``a/x.mp4`` becomes ``a__x``).
    """
    if not path.exists():
        is_address = re.match(r"\w+:/", str(path)) is not None
        hint = "avloc opens files only; download it first." if is_address else "Check the path."
        raise DatasetError("there is no such file or folder", path, hint=hint)
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


def _named(root: Path, files: list[Path]) -> dict[str, Path]:
    n_sharing = Counter(plain_name(file.stem) for file in files)
    named: dict[str, Path] = {}
    for file in files:
        is_shared = n_sharing[plain_name(file.stem)] > 1
        names = _names(file.relative_to(root), is_shared)
        named[next(name for name in names if name not in named)] = file
    return named


def _names(inside: Path, is_shared: bool) -> Iterator[str]:
    """Yield the possible ids of a video, the shortest first."""
    if not is_shared:
        yield plain_name(inside.stem)
    yield plain_name("__".join(inside.with_suffix("").parts))
    long_name = plain_name("__".join(inside.parts))
    yield long_name
    yield from (f"{long_name}-{number}" for number in count(2))
