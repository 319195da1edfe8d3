"""A model's scores over a split (schema ``avloc.predictions/2``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts.arrays import Arrays
from avloc.artifacts.hdf5 import read_artifact
from avloc.artifacts.new_artifact import create
from avloc.artifacts.schema import Array, header_fields, types_of
from avloc.labels import LabelSet

_Gate = Annotated[NDArray[np.float32] | None, Array("R T")]


@dataclass(frozen=True)
class Predictions:
    """Scores of R rows beside the truth.

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

    scores: Annotated[NDArray[np.float32], Array("R T C")]
    targets: Annotated[NDArray[np.int64], Array("R T", is_small=True)]
    video_ids: tuple[str, ...]
    rows: Annotated[NDArray[np.int64], Array("R")]
    labels: LabelSet
    split: str
    model: str
    fingerprint: str
    gate_visual: _Gate = None
    gate_audio: _Gate = None
    attention: Annotated[NDArray[np.float32] | None, Array("R T H W")] = None


def write_predictions(path: Path | str, predictions: Predictions) -> None:
    """Write predictions atomically; ArtifactError if a score is NaN or infinite."""
    with create(path, "predictions", parse_predictions) as new:
        new.put(vars(predictions), types_of(Predictions))


def read_predictions(path: Path | str) -> Predictions:
    """Read predictions; ArtifactError if missing, damaged, of another kind or too new."""
    return read_artifact(path, "predictions", parse_predictions)


def parse_predictions(arrays: Arrays, header: dict[str, Any]) -> Predictions:
    """Make predictions of a file's arrays and header; ValueError where they are damaged."""
    types = types_of(Predictions)
    fields = header_fields(header, types)
    arrays.sizes |= {"C": fields["labels"].n_classes, "R": len(fields["video_ids"])}
    predictions = Predictions(**fields, **arrays.fields(types))
    n_classes, targets = predictions.labels.n_classes, predictions.targets
    if targets.size and not -1 <= targets.min() <= targets.max() < n_classes:
        raise ValueError(f"targets are not all classes from 0 to {n_classes - 1}")
    return predictions
