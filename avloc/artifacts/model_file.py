"""A trained model as one HDF5 file that says what it is (schema ``avloc.model/2``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts.arrays import Arrays
from avloc.artifacts.digests import digest_of_bytes
from avloc.artifacts.hdf5 import read_artifact
from avloc.artifacts.header import (
    MAX_SEGMENTS,
    SEGMENT_SECONDS,
    Header,
    labels_to_plain,
)
from avloc.artifacts.new_artifact import create
from avloc.artifacts.reading import Depth
from avloc.artifacts.typed_json import to_json
from avloc.labels import LabelSet
from avloc.spec import FeatureSpec


@dataclass(frozen=True)
class ModelFile:
    """Weights, and all that is needed to use them and to know where they come from.

    Attributes:
        name: the registered model, for example ``cman``.
        config: the options that build it (``avloc.models.build(name, **config)``).
        weights: the state dict, an array a tensor.
        labels: the classes of its logits.
        spec: of the features it was trained on; features of another spec are refused.
        supervision: ``full`` or ``weak``.
        n_segments: T of the training window.
        segment_seconds: a segment's length.
        metrics: what it reached, for example ``val_accuracy``.
        seed: of its training.
        data: the data set, how many rows, how the epoch was chosen.
        training: the training options.
        history: a column a metric, an entry an epoch.
        temperature: what its logits are divided by, fitted on validation.
        resume: what an unfinished training needs to go on; empty once it has ended.
    """

    name: str
    config: Mapping[str, object]
    weights: Mapping[str, NDArray[Any]]
    labels: LabelSet
    spec: FeatureSpec
    supervision: str
    n_segments: int
    segment_seconds: float
    metrics: Mapping[str, float]
    seed: int
    data: Mapping[str, object]
    training: Mapping[str, object] = field(default_factory=dict)
    history: Mapping[str, list[float]] = field(default_factory=dict)
    temperature: float = 1.0
    resume: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The spec's hash."""
        return self.spec.fingerprint


_FIELDS = (
    *("name", "config", "fingerprint", "supervision", "n_segments", "segment_seconds", "seed"),
    *("metrics", "data", "training", "temperature"),
)


def write_model(path: Path | str, model: ModelFile) -> None:
    """Write a model file atomically.

    Raises:
        OutputError: the place cannot be written.
        ArtifactError: a weight is NaN or infinite, or no reader would take the file.
    """
    with create(path, "model", parse_model) as new:
        new.put(model.weights, "weights")
        history = {name: np.asarray(column) for name, column in model.history.items()}
        new.put(history, "history", may_be_nan=True)
        if model.resume:
            new.put(model.resume, "resume")
        new.header |= {name: getattr(model, name) for name in _FIELDS}
        new.header["feature_spec"] = model.spec
        new.header["labels"] = labels_to_plain(model.labels)


def read_model(path: Path | str) -> ModelFile:
    """Read a model file.

    Raises:
        ArtifactError: it is missing, damaged, of another kind or too new.
    """
    return read_artifact(path, "model", parse_model)


def model_identity(path: Path | str) -> str:
    """Return a short hash of all that a model's answers follow from, without reading its weights.

    These are the weights, how they are built and calibrated, the labels, the features and the
    window; not when, how long or on what it was trained. Equal trainings have equal hashes.

    Raises:
        ArtifactError: it is missing, damaged, of another kind or too new.
    """
    return read_artifact(path, "model", _identity, Depth.HEADERS)


def parse_model(arrays: Arrays, header: Header) -> ModelFile:
    """Make a model file of a file's arrays and header; ValueError where they are damaged."""
    history = arrays.group("history")
    return ModelFile(
        name=header.text("name"),
        config=header.mapping("config"),
        weights=_tensors(arrays.group("weights")),
        labels=header.labels(),
        spec=header.spec("feature_spec"),
        supervision=header.text("supervision"),
        n_segments=header.whole("n_segments", least=1, most=MAX_SEGMENTS),
        segment_seconds=header.number("segment_seconds", *SEGMENT_SECONDS),
        metrics=header.numbers("metrics"),
        seed=header.whole("seed", least=0),
        data=header.mapping("data"),
        training=header.mapping("training"),
        history={name: _epochs(history, name) for name in history.names()},
        temperature=_temperature(header),
        resume=_tensors(arrays.group("resume")) if arrays.has("resume") else {},
    )


def _tensors(group: Arrays) -> dict[str, NDArray[Any]]:
    return {name: group.read(name, shape=None) for name in group.names()}


def _epochs(history: Arrays, name: str) -> list[float]:
    column: list[float] = history.read(name, "epochs", is_small=True, may_be_nan=True).tolist()
    return column


def _temperature(header: Header) -> float:
    """Return 1 for a model that was written before scores were calibrated."""
    return header.number("temperature", 1e-3, 1e3) if header.has("temperature") else 1.0


def _identity(arrays: Arrays, header: Header) -> str:
    parts = {
        "name": header.text("name"),
        "config": header.mapping("config"),
        "weights": arrays.group("weights").digests(),
        "labels": labels_to_plain(header.labels()),
        "spec": header.spec("feature_spec"),
        "fingerprint": header.text("fingerprint"),
        "n_segments": header.whole("n_segments", least=1, most=MAX_SEGMENTS),
        "segment_seconds": header.number("segment_seconds", *SEGMENT_SECONDS),
        "temperature": _temperature(header),
    }
    return digest_of_bytes(to_json(parts).encode())[:16]
