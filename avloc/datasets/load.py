"""One call for every kind of data set."""

from __future__ import annotations

from pathlib import Path

from avloc.datasets.ave import ANNOTATIONS, load_ave
from avloc.datasets.dataset import Dataset
from avloc.datasets.manifest import MANIFEST, MANIFEST_SUFFIXES, load_manifest
from avloc.datasets.synthetic.truth import read_config
from avloc.datasets.unlabelled import load_videos


def load_dataset(path: Path | str) -> Dataset:
    """Read the data set at a path.

    ============================================  ===================================
    a folder with ``Annotations.txt``             AVE's layout, every video 10 s
                                                  (a made data set may differ)
    a ``.csv`` or ``.jsonl`` file, or a folder    a manifest: the user's own rows
    with ``manifest.csv``
    any other folder or file                      its videos, without rows
    ============================================  ===================================

    Raises:
        DatasetError: nothing is there, or a file in it is wrong (with its line).
    """
    path = Path(path)
    if (path / ANNOTATIONS).is_file():
        made_with = read_config(path)
        return load_ave(path, made_with.seconds) if made_with else load_ave(path)
    if path.suffix.lower() in MANIFEST_SUFFIXES and not path.is_dir():
        return load_manifest(path)
    if (path / MANIFEST).is_file():
        return load_manifest(path / MANIFEST)
    return load_videos(path)
