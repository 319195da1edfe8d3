"""A model from a model file, and its weights as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.artifacts import ModelFile
from avloc.devices import choose_device
from avloc.errors import ArtifactError, UsageError, message_of
from avloc.models.model import Model
from avloc.models.registry import build, list_models


def restore(model_file: ModelFile, device: str | torch.device = "cpu") -> Model:
    """Make the model of a file, in evaluation mode; an ArtifactError if it does not fit."""
    chosen = choose_device(device)
    _check_origin(model_file)
    _check_fit(model_file)
    model = _build(model_file)
    load_arrays(model, model_file.weights)
    several = torch.tensor(model_file.temperatures, device=chosen)
    model.temperature = several if len(several) > 1 else model_file.temperatures[0]
    model.knows_halves = bool(model_file.training.get("modality_dropout", 0))
    return model.to(chosen).eval().requires_grad_(False)


def state_arrays(model: Model) -> dict[str, NDArray[Any]]:
    """Return a copy of a model's weights by name, for a model file."""
    return {name: w.detach().cpu().numpy().copy() for name, w in model.state_dict().items()}


def load_arrays(model: Model, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Copy weights by name, as `state_arrays` returns them, into a model."""
    model.load_state_dict({name: torch.from_numpy(np.array(w)) for name, w in arrays.items()})


def _build(model_file: ModelFile) -> Model:
    return build(model_file.name, **cast(Any, dict(model_file.config)))


def _check_origin(model_file: ModelFile) -> None:
    """Refuse a model of a package that is not installed, or of a module that is not imported."""
    name, data = model_file.name, model_file.data
    if name in list_models():
        return
    if package := data.get("model_package"):
        raise ArtifactError(
            f"the file's model {name!r} is of the package {package!s:.100}, which is not installed",
            f"Install {package!s:.100}.",
        )
    if module := data.get("model_module"):
        raise ArtifactError(
            f"the file's model {name!r} is of the Python module {module!s:.100}, which is not"
            " imported",
            f"Import {module!s:.100} first, or make it a package that offers the model to the"
            " commands (docs/models.md).",
        )


def _check_fit(model_file: ModelFile) -> None:
    """Refuse a config that does not fit the weights, before memory is allocated for it."""
    try:
        with torch.device("meta"):  # shapes without numbers: no width is too large to describe
            wanted = {name: tuple(w.shape) for name, w in _build(model_file).state_dict().items()}
    except (UsageError, TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        reason = " ".join(message_of(error).split())
        raise ArtifactError(
            f"the file's model cannot be built here: {reason:.300}",
            f"{getattr(error, 'hint', '')} {_hint(model_file)}".strip(),
        ) from error
    shapes = {name: w.shape for name, w in model_file.weights.items()}
    differing = [
        f"{name} is {shapes.get(name, 'missing')} and should be {wanted.get(name, 'missing')}"
        for name in sorted(wanted.keys() | shapes.keys())
        if wanted.get(name) != shapes.get(name)
    ]
    labels, config = model_file.labels, model_file.config
    if labels.n_logits != config["n_classes"]:
        differing.append(
            f"its labels need {labels.n_logits} logits, its config {config['n_classes']!r:.60}"
        )
    if labels.is_exclusive == bool(config.get("independent", False)):
        differing.append(f"its labels are {labels.kind}, its config says otherwise")
    if differing:
        raise ArtifactError(
            f"the weights do not fit the {model_file.name} that the file's config builds: "
            + "; ".join(differing[:3]),
            _hint(model_file),
        )


def _hint(model_file: ModelFile) -> str:
    if package := model_file.data.get("model_package"):
        return f"The file was written with {package!s:.100}; install that version, or train again."
    return "The file was written by another avloc or changed by hand; train again."
