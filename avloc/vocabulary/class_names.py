"""The class names of the two taggers, in the order of their logits.

``audioset.txt`` has AudioSet's 527 classes (Gemmeke et al., 2017; CC BY 4.0). ``imagenet.tsv``
has ImageNet's 1000 classes: the WordNet id of each and its names.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

N_AUDIOSET = 527
N_IMAGENET = 1000


def data_text(name: str) -> str:
    """Return the text of a data file of this package."""
    return (files(__package__) / "data" / name).read_text(encoding="utf-8")


def data_bytes(name: str) -> bytes:
    """Return the bytes of a data file of this package."""
    return (files(__package__) / "data" / name).read_bytes()


@cache
def audioset_names() -> tuple[str, ...]:
    """Return AudioSet's 527 class names, in the order of a tagger's logits."""
    return tuple(data_text("audioset.txt").splitlines())


@cache
def imagenet_names() -> tuple[str, ...]:
    """Return the names of ImageNet's 1000 classes in order, synonyms joined by commas."""
    return tuple(names for _, names in _imagenet_rows())


@cache
def imagenet_synsets() -> tuple[int, ...]:
    """Return the offsets of ImageNet's classes in WordNet 3.0's noun file, in order."""
    return tuple(int(synset[1:]) for synset, _ in _imagenet_rows())


def _imagenet_rows() -> list[tuple[str, str]]:
    rows = [line.split("\t") for line in data_text("imagenet.tsv").splitlines()]
    return [(synset, names) for synset, names in rows]


@cache
def imagenet_first_names() -> tuple[str, ...]:
    """Return the first name of each ImageNet class, in order; two pairs of classes share one."""
    return tuple(names.split(",")[0] for names in imagenet_names())
