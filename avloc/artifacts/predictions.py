"""A model's scores over a split (schema ``avloc.predictions/1``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from avloc.artifacts.hdf5 import create, open_artifact, optional, write_arrays
from avloc.artifacts.model import labels_from_json, labels_to_json
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
_PLAIN = ("split", "model", "fingerprint")


def write_predictions(path: Path | str, predictions: Predictions) -> None:
    """Write predictions atomically.

    Raises:
        OutputError: the place cannot be written.
    """
    with create(path, "predictions") as file:
        names = (*_ARRAYS, *_OPTIONAL)
        write_arrays(file, {name: getattr(predictions, name) for name in names})
        file.create_dataset("video_ids", data=predictions.video_ids, dtype=h5py.string_dtype())
        file.attrs.update({name: getattr(predictions, name) for name in _PLAIN})
        file.attrs["labels"] = labels_to_json(predictions.labels)


def read_predictions(path: Path | str) -> Predictions:
    """Read predictions.

    Raises:
        ArtifactError: they are missing, damaged, of another kind or too new.
    """
    with open_artifact(path, "predictions") as file:
        arrays: dict[str, Any] = {name: np.asarray(file[name]) for name in _ARRAYS}
        arrays |= {name: optional(file, name) for name in _OPTIONAL}
        plain: dict[str, Any] = {name: str(file.attrs[name]) for name in _PLAIN}
        return Predictions(
            **arrays,
            **plain,
            video_ids=tuple(file["video_ids"].asstr()[:]),
            labels=labels_from_json(file.attrs["labels"]),
        )
