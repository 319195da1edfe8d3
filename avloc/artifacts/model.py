"""A trained model as one HDF5 file that says what it is (schema ``avloc.model/1``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts.arrays import Arrays
from avloc.artifacts.attributes import MAX_SEGMENTS, SEGMENT_SECONDS, Attributes
from avloc.artifacts.hdf5 import create, labels_to_json, open_artifact, to_json, write_arrays
from avloc.labels import LabelSet


@dataclass(frozen=True)
class ModelFile:
    """Weights, and all that is needed to use them and to know where they come from.

    Attributes:
        name: the registered model, for example ``cman``.
        config: the options that build it (``avloc.models.build(name, **config)``).
        weights: the state dict, an array a tensor.
        labels: the classes of its logits.
        spec: of the features it was trained on, and
        fingerprint: their hash; features of another are refused.
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
    spec: Mapping[str, object]
    fingerprint: str
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


_NESTED = ("config", "metrics", "data", "training")
_PLAIN = ("name", "fingerprint", "supervision", "n_segments", "segment_seconds", "seed")


def write_model(path: Path | str, model: ModelFile) -> None:
    """Write a model file atomically.

    Raises:
        OutputError: the place cannot be written.
    """
    with create(path, "model") as file:
        file.attrs.update({name: getattr(model, name) for name in _PLAIN})
        file.attrs.update({name: to_json(dict(getattr(model, name))) for name in _NESTED})
        file.attrs["feature_spec"] = to_json(dict(model.spec))
        file.attrs["labels"] = labels_to_json(model.labels)
        file.attrs["temperature"] = model.temperature
        write_arrays(file.create_group("weights"), model.weights)
        history = {name: np.asarray(column) for name, column in model.history.items()}
        write_arrays(file.create_group("history"), history)
        if model.resume:
            write_arrays(file.create_group("resume"), model.resume)


def read_model(path: Path | str) -> ModelFile:
    """Read a model file.

    Raises:
        ArtifactError: it is missing, damaged, of another kind or too new.
    """
    with open_artifact(path, "model") as (arrays, attributes):
        history = arrays.group("history")
        return ModelFile(
            name=attributes.text("name"),
            config=attributes.mapping("config"),
            weights=_tensors(arrays.group("weights")),
            labels=attributes.labels(),
            spec=attributes.spec("feature_spec"),
            fingerprint=attributes.text("fingerprint"),
            supervision=attributes.text("supervision"),
            n_segments=attributes.whole("n_segments", least=1, most=MAX_SEGMENTS),
            segment_seconds=attributes.number("segment_seconds", *SEGMENT_SECONDS),
            metrics=attributes.numbers("metrics"),
            seed=attributes.whole("seed", least=0),
            data=attributes.mapping("data"),
            training=attributes.mapping("training"),
            history={name: history.read(name, "epochs").tolist() for name in history.names()},
            temperature=_temperature(attributes),
            resume=_tensors(arrays.group("resume")) if arrays.has("resume") else {},
        )


def _tensors(group: Arrays) -> dict[str, NDArray[Any]]:
    return {name: group.read(name, shape=None) for name in group.names()}


def _temperature(attributes: Attributes) -> float:
    """Return 1 for a model that was written before scores were calibrated."""
    has = attributes.has("temperature")
    return attributes.number("temperature", 1e-3, 1e3) if has else 1.0
