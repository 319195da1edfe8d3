"""A trained model as one HDF5 file that says what it is (schema ``avloc.model/3``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts.arrays import Arrays, Depth
from avloc.artifacts.digests import Record, digest_of, digest_of_bytes
from avloc.artifacts.hdf5 import read_artifact
from avloc.artifacts.new_artifact import create
from avloc.artifacts.schema import (
    Array,
    Range,
    SegmentSeconds,
    header_fields,
    to_json,
    types_of,
)
from avloc.errors import FingerprintError
from avloc.labels import LabelSet
from avloc.spec import FeatureSpec

_MOST_SEGMENTS = 10**6  # of a window: eleven days, a second a segment
_Tensors = Annotated[Mapping[str, NDArray[Any]], Array()]
_Columns = Annotated[Mapping[str, list[float]], Array("epochs", is_small=True, may_be_nan=True)]


@dataclass(frozen=True)
class ModelFile:
    """Weights, and all that is needed to use them and to know where they come from.

    Attributes:
        name: the registered model, for example ``cman``.
        config: the options that build it (``avloc.models.build(name, **config)``).
        weights: the state dict, an array a tensor.
        labels: the labels of its logits.
        spec: of the features it was trained on; features of another spec are refused.
        supervision: ``full``, ``weak``, or ``none`` of a model that was not trained.
        n_segments: T of the training window.
        segment_seconds: a segment's length.
        metrics: what it reached, for example ``val_accuracy``.
        seed: of its training.
        data: the data set, how many rows, how the epoch was chosen.
        training: the training options.
        history: a column a metric, an entry an epoch.
        temperatures: what its logits are divided by, fitted on validation: one number, or one for
            each label if they are independent.
        thresholds: from which probability on each label is an event, fitted on validation; empty
            where none were fitted.
        sense_thresholds: from which ``heard`` and ``seen`` the sound and the picture know an event,
            fitted on validation; empty where none were fitted.
        resume: the state of an unfinished training, to go on with; empty once it has ended.
    """

    name: str
    config: Mapping[str, object]
    weights: _Tensors
    labels: LabelSet
    spec: FeatureSpec
    supervision: str
    n_segments: Annotated[int, Range(1, _MOST_SEGMENTS)]
    segment_seconds: SegmentSeconds
    metrics: Mapping[str, float]
    seed: Annotated[int, Range(0)]
    data: Mapping[str, object]
    training: Mapping[str, object] = field(default_factory=dict)
    history: _Columns = field(default_factory=dict)
    temperatures: tuple[Annotated[float, Range(1e-3, 1e3)], ...] = (1.0,)
    thresholds: tuple[Annotated[float, Range(0, 1)], ...] = ()
    sense_thresholds: tuple[Annotated[float, Range(0, 1)], ...] = ()
    resume: _Tensors = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The spec's hash."""
        return self.spec.fingerprint


def write_model(path: Path | str, model: ModelFile) -> None:
    """Write a model file atomically; ArtifactError if a weight is NaN or infinite."""
    with create(path, "model", parse_model) as new:
        new.put(vars(model), _types(bool(model.resume)))
        new.header |= {"feature_spec": new.header.pop("spec"), "fingerprint": model.fingerprint}


def read_model(path: Path | str) -> ModelFile:
    """Read a model file; ArtifactError if missing, damaged, of another kind or too new."""
    return read_artifact(path, "model", parse_model)


def model_identity(path: Path | str) -> str:
    """Return a short hash of all that a model's answers follow from, without reading its weights.

    It does not depend on when, how long or on what the model was trained.
    """
    return read_artifact(path, "model", _identity, Depth.HEADERS)


def identity_of(model: ModelFile) -> str:
    """Return what `model_identity` returns of its file."""
    weights = {name: np.asarray(w) for name, w in model.weights.items()}
    records = {
        name: digest_of(w).record(w.dtype.newbyteorder("<"), w.shape) for name, w in weights.items()
    }
    return _identity_of(vars(model), records)


def refuse_published(model: ModelFile, path: Path | str) -> None:
    """Raise a FingerprintError if a model was trained on published features."""
    if model.spec.is_published:
        raise FingerprintError(
            f"{path} was trained on published features, whose encoders are unknown here:"
            " no video can be turned into such features",
            "Train on features extracted here (avloc extract, avloc train), or measure this model"
            " on its own store: avloc eval.",
        )


def parse_model(arrays: Arrays, header: dict[str, Any]) -> ModelFile:
    """Make a model file of a file's arrays and header; ValueError where they are damaged."""
    fields = _header_fields(header) | arrays.fields(_types(arrays.has("resume")))
    fields["history"] = {name: column.tolist() for name, column in fields["history"].items()}
    labels, n_fitted = fields["labels"], len(fields["temperatures"])
    if n_fitted != 1 and (labels.is_exclusive or n_fitted != labels.n_labels):
        raise ValueError(
            f"it has {n_fitted} temperatures for {labels.n_labels} {labels.kind} labels"
        )
    check_thresholds(fields)
    return ModelFile(**fields)


def check_thresholds(fields: Mapping[str, Any]) -> None:
    """Raise a ValueError if there is neither one for each label, or sense, nor none."""
    n_labels = fields["labels"].n_labels
    for name, n, words in (
        ("thresholds", n_labels, f"thresholds for {n_labels} labels"),
        ("sense_thresholds", 2, "thresholds for two senses"),
    ):
        if len(fields[name]) not in (0, n):
            raise ValueError(f"it has {len(fields[name])} {words}")


def _types(is_unfinished: bool) -> dict[str, Any]:
    return {n: kind for n, kind in types_of(ModelFile).items() if is_unfinished or n != "resume"}


def _header_fields(header: dict[str, Any]) -> dict[str, Any]:
    stated = {"sense_thresholds": []} | header | {"spec": header.get("feature_spec")}
    if "temperature" in header:  # of version 1 or 2
        stated |= {"temperatures": [header["temperature"]], "thresholds": []}
    return header_fields(stated, types_of(ModelFile))


_IDENTITY = (
    *("name", "config", "labels", "spec", "n_segments", "segment_seconds"),
    *("temperatures", "thresholds", "sense_thresholds"),
)


def _identity(arrays: Arrays, header: dict[str, Any]) -> str:
    return _identity_of(_header_fields(header), arrays.group("weights").digests())


def _identity_of(fields: Mapping[str, Any], weights: Mapping[str, Record]) -> str:
    parts = {name: fields[name] for name in _IDENTITY} | {
        "spec": fields["spec"].without_licences(),
        "fingerprint": fields["spec"].fingerprint,
        "weights": weights,
    }
    return digest_of_bytes(to_json(parts).encode())[:16]
