"""How near two texts are in meaning, by vectors of their words.

``word_vectors.npz`` has a vector for each of some 27 000 words, made from all-MiniLM-L6-v2 by
``tools/word_vectors.py``. A text's vector is the mean of its words'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from avloc.vocabulary.class_names import (
    audioset_names,
    data_bytes,
    imagenet_first_names,
    imagenet_names,
)
from avloc.vocabulary.words import FILLERS, alternatives, dictionary_forms, tokens

Source = Literal["AudioSet", "ImageNet"]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class WordVectors:
    """A vector for each word."""

    row_of: dict[str, int]
    vectors: Floats

    def embed(self, text: str) -> Floats:
        """Return the unit vector of a text; zeros if no word of it is known."""
        rows = [row for word in tokens(text) if word not in FILLERS for row in self._row(word)]
        total: Floats = self.vectors[rows].sum(axis=0)
        length = float(np.linalg.norm(total))
        return total / length if length else total

    def _row(self, word: str) -> list[int]:
        return [self.row_of[form] for form in dictionary_forms(word) if form in self.row_of][:1]


@cache
def word_vectors() -> WordVectors:
    """Return the shipped vectors, read once."""
    with np.load(BytesIO(data_bytes("word_vectors.npz"))) as arrays:
        words = arrays["words"].tobytes().decode().split("\n")
        return WordVectors({word: row for row, word in enumerate(words)}, arrays["vectors"] / 127.0)


def similar_classes(text: str, source: Source) -> list[tuple[float, int, str]]:
    """Return (cosine, index, name) of every class, the nearest first."""
    indices, names, vectors = _class_vectors(source)
    cosines = vectors @ word_vectors().embed(text)
    best: dict[int, float] = {}
    for index, cosine in zip(indices, cosines.tolist(), strict=True):
        best[index] = max(cosine, best.get(index, -1.0))
    return sorted(((cosine, index, names[index]) for index, cosine in best.items()), reverse=True)


@cache
def _class_vectors(source: Source) -> tuple[list[int], Sequence[str], Floats]:
    """Return a vector for each of the names of each class, with the class's index."""
    if source == "AudioSet":
        shown = audioset_names()
        texts = [alternatives(name) for name in shown]
    else:
        shown = imagenet_first_names()
        texts = [names.split(", ") for names in imagenet_names()]
    pairs = [(index, text) for index, names in enumerate(texts) for text in names]
    vectors = np.stack([word_vectors().embed(text) for _, text in pairs])
    return [index for index, _ in pairs], shown, vectors
