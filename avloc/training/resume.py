"""An unfinished training as the ``resume`` group of a model file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avloc.artifacts import ModelFile
from avloc.errors import ArtifactError
from avloc.models import load_arrays, state_arrays
from avloc.training.loop import TrainingState

_WEIGHTS = "weights."
_PSEUDO = "pseudo_labels"  # in the second round of self-training only
_FREE = ("epochs", "patience", "workers")  # training options without effect on an epoch's bits


def resume_arrays(state: TrainingState) -> dict[str, NDArray[Any]]:
    """Return what the next epoch depends on beyond a model file: weights and Adam's moments,
    and the pseudo-labels of a second round.

    The file's weights are of the best epoch; rates, orders and random numbers follow from the
    epoch's number.
    """
    arrays = {f"{_WEIGHTS}{name}": w for name, w in state_arrays(state.model).items()}
    for name, parameter in state.model.named_parameters():
        for key, value in state.optimizer.state.get(parameter, {}).items():
            arrays[f"adam.{key}.{name}"] = np.array(value.cpu().numpy())
    if state.pseudo_labels is not None:
        arrays[_PSEUDO] = state.pseudo_labels
    return arrays


def resume(state: TrainingState, unfinished: ModelFile, now: ModelFile) -> None:
    """Restore an unfinished training that began with the settings and data of ``now``."""
    if not unfinished.resume:
        raise ArtifactError("the training is finished", "Leave out --resume to train anew.")
    before, after = _settings(unfinished), _settings(now)
    # a setting that the file does not name did not exist when it was written
    if differing := [name for name in before if before[name] != after.get(name)]:
        name = differing[0]
        raise ArtifactError(
            f"the unfinished training differs in {', '.join(differing)}: {name} was "
            f"{before[name]!r:.60} and is {after.get(name)!r:.60}",
            "Give the same options, or leave out --resume to train anew.",
        )
    arrays = unfinished.resume
    try:
        weights = {n.removeprefix(_WEIGHTS): w for n, w in arrays.items() if n.startswith(_WEIGHTS)}
        load_arrays(state.model, weights)
        for name, parameter in state.model.named_parameters():
            state.optimizer.state[parameter] = _moments(arrays, name, parameter)
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ArtifactError(
            f"the unfinished training cannot be continued: {str(error).splitlines()[0]}",
            "Leave out --resume to train anew.",
        ) from error
    state.history = {name: list(column) for name, column in unfinished.history.items()}
    state.best, state.metrics = dict(unfinished.weights), dict(unfinished.metrics)
    state.epoch = len(state.history["epoch"])
    if _PSEUDO in arrays:
        state.pseudo_labels = arrays[_PSEUDO].astype(bool)


def _moments(arrays: Mapping[str, NDArray[Any]], name: str, parameter: Tensor) -> dict[str, Tensor]:
    moments = {}
    for key in ("exp_avg", "exp_avg_sq"):
        moment = arrays[f"adam.{key}.{name}"]
        if moment.shape != parameter.shape:
            raise ValueError(f"{key} of {name} is {moment.shape}")
        moments[key] = torch.from_numpy(np.array(moment)).to(parameter.device)
    return {"step": torch.from_numpy(np.array(arrays[f"adam.step.{name}"])), **moments}


def _settings(model: ModelFile) -> dict[str, object]:
    training = {
        name: list(value) if isinstance(value, tuple) else value  # as a file has it
        for name, value in model.training.items()
        if name not in _FREE
    }
    data = {n: v for n, v in model.data.items() if n != "first_unreadable"}
    named = {"model": model.name, "labels": model.labels, "features": model.fingerprint}
    return {**named, **model.config, **data, **training}
