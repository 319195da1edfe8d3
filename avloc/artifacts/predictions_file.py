"""A model's scores over a split (schema ``avloc.predictions/2``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts.arrays import REAL, WHOLE, Arrays
from avloc.artifacts.hdf5 import read_artifact
from avloc.artifacts.header import Header, labels_to_plain
from avloc.artifacts.new_artifact import create
from avloc.labels import LabelSet


@dataclass(frozen=True)
class Predictions:
    """Scores of R rows beside the truth, keyed by video id.

    Attributes:
        scores: (R, T, C) probabilities.
        targets: (R, T) true class indices; -1 behind the end of a row shorter than T.
        video_ids: R ids; an id repeats when its video has several rows.
        rows: (R,) row numbers in the data set.
        labels: the C classes.
        split: which split.
        model: the model's name.
        fingerprint: of the features.
        gate_visual, gate_audio: (R, T) normalised sentinel gates; None without them.
        attention: (R, T, H, W) weights over the picture; None without it.
    """

    scores: NDArray[np.float32]
    targets: NDArray[np.int64]
    video_ids: tuple[str, ...]
    rows: NDArray[np.int64]
    labels: LabelSet
    split: str
    model: str
    fingerprint: str
    gate_visual: NDArray[np.float32] | None = None
    gate_audio: NDArray[np.float32] | None = None
    attention: NDArray[np.float32] | None = None


_ARRAYS = ("scores", "targets", "rows")
_OPTIONAL = ("gate_visual", "gate_audio", "attention")
_FIELDS = ("video_ids", "split", "model", "fingerprint")


def write_predictions(path: Path | str, predictions: Predictions) -> None:
    """Write predictions atomically.

    Raises:
        OutputError: the place cannot be written.
        ArtifactError: a score is NaN or infinite, or no reader would take the file.
    """
    with create(path, "predictions", parse_predictions) as new:
        new.put({name: getattr(predictions, name) for name in (*_ARRAYS, *_OPTIONAL)})
        new.header |= {name: getattr(predictions, name) for name in _FIELDS}
        new.header["labels"] = labels_to_plain(predictions.labels)


def read_predictions(path: Path | str) -> Predictions:
    """Read predictions.

    Raises:
        ArtifactError: they are missing, damaged, of another kind or too new.
    """
    return read_artifact(path, "predictions", parse_predictions)


def parse_predictions(arrays: Arrays, header: Header) -> Predictions:
    """Make predictions of a file's arrays and header; ValueError where they are damaged."""
    labels = header.labels()
    arrays.sizes["C"] = labels.n_classes
    return Predictions(
        scores=arrays.read("scores", "R T C", REAL),
        targets=_targets(arrays, labels),
        rows=arrays.read("rows", "R", WHOLE),
        video_ids=header.texts("video_ids", arrays.sizes["R"]),
        gate_visual=arrays.find("gate_visual", "R T", REAL),
        gate_audio=arrays.find("gate_audio", "R T", REAL),
        attention=arrays.find("attention", "R T H W", REAL),
        labels=labels,
        split=header.text("split"),
        model=header.text("model"),
        fingerprint=header.text("fingerprint"),
    )


def _targets(arrays: Arrays, labels: LabelSet) -> NDArray[np.int64]:
    targets = arrays.read("targets", "R T", WHOLE, is_small=True)
    if targets.size and not -1 <= targets.min() <= targets.max() < labels.n_classes:
        raise ValueError(f"targets are not all classes from 0 to {labels.n_classes - 1}")
    return targets
