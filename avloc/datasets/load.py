"""One call for every kind of data set."""

from __future__ import annotations

from pathlib import Path

from avloc.datasets.ave import ANNOTATIONS, N_SEGMENTS, load_ave
from avloc.datasets.dataset import Dataset
from avloc.datasets.manifest import MANIFEST, MANIFEST_SUFFIXES, load_manifest
from avloc.datasets.synthetic.truth import read_config
from avloc.datasets.unlabelled import load_videos


def load_dataset(path: Path | str) -> Dataset:
    """Read the data set at a path.

    ============================================  ===================================
    a folder with ``Annotations.txt``             AVE's layout, every video 10 s
                                                  (a synthesised data set may differ)
    a ``.txt`` file                               the same, with another file of rows
    a ``.csv``, ``.tsv`` or ``.jsonl`` file,      a manifest: the user's own rows
    or a folder with ``manifest.csv``
    any other folder or file                      its videos, without rows
    ============================================  ===================================

    Raises:
        DatasetError: nothing exists there, or a file in it is wrong (with its line).
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
