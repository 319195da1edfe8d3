"""An unfinished training between memory and a model file's ``resume`` group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avloc.artifacts import ModelFile
from avloc.errors import ArtifactError
from avloc.training.loop import TrainingState

_WEIGHTS = "weights."
_ADAM = ("step", "exp_avg", "exp_avg_sq")
_FREE = ("epochs", "patience")  # training options that say only when to end

Arrays = dict[str, NDArray[Any]]


def resume_arrays(state: TrainingState) -> Arrays:
    """Return all that the next epoch depends on and a model file does not hold otherwise.

    Current weights (the file's own are the best epoch's) and Adam's moments; the learning
    rate, the order of the rows and all random numbers follow from the epoch's number. Files
    of earlier versions hold a random state too, which is not looked at.
    """
    arrays = {f"{_WEIGHTS}{n}": w.cpu().numpy() for n, w in state.model.state_dict().items()}
    for name, parameter in state.model.named_parameters():
        for key, value in state.optimizer.state.get(parameter, {}).items():
            arrays[f"adam.{key}.{name}"] = value.cpu().numpy()
    return {name: np.array(array) for name, array in arrays.items()}


def check_same(unfinished: ModelFile, now: ModelFile) -> None:
    """Refuse to go on with a training that began with other settings, features or rows.

    Raises:
        ArtifactError: naming what differs.
    """
    before, after = dict(_settings(unfinished)), dict(_settings(now))
    # what the file does not name, the version that wrote it did not have
    differing = [name for name in before if before[name] != after.get(name)]
    if not unfinished.resume:
        raise ArtifactError("the training is finished", "Leave out --resume to train anew.")
    if differing:
        name = differing[0]
        raise ArtifactError(
            f"the unfinished training differs in {', '.join(differing)}: {name} was "
            f"{before.get(name)!r:.60} and is {after.get(name)!r:.60}",
            "Give the same options, or leave out --resume to train anew.",
        )


def restore_state(state: TrainingState, unfinished: ModelFile) -> None:
    """Put a training back to where a file left it.

    Raises:
        ArtifactError: the file's ``resume`` group does not fit the model.
    """
    arrays = {name: torch.from_numpy(np.array(a)) for name, a in unfinished.resume.items()}
    try:
        weights = {n.removeprefix(_WEIGHTS): w for n, w in arrays.items() if n.startswith(_WEIGHTS)}
        state.model.load_state_dict(weights)
        for name, parameter in state.model.named_parameters():
            state.optimizer.state[parameter] = dict(_moments(arrays, name, parameter))
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ArtifactError(
            f"the unfinished training cannot be taken up: {str(error).splitlines()[0]}",
            "Leave out --resume to train anew.",
        ) from error
    state.history = {name: list(column) for name, column in unfinished.history.items()}
    state.best, state.metrics = dict(unfinished.weights), dict(unfinished.metrics)
    state.epoch = len(state.history["epoch"])


def _moments(
    arrays: Mapping[str, Tensor], name: str, parameter: Tensor
) -> Iterator[tuple[str, Tensor]]:
    for key in _ADAM:
        value = arrays[f"adam.{key}.{name}"]
        if key != "step" and value.shape != parameter.shape:
            raise ValueError(f"{key} of {name} is {tuple(value.shape)}")
        yield key, value if key == "step" else value.to(parameter.device)


def _settings(model: ModelFile) -> Iterator[tuple[str, object]]:
    yield "model", model.name
    yield "labels", model.labels
    yield "features", model.fingerprint
    yield from model.config.items()
    yield from ((n, value) for n, value in model.data.items() if n != "first_unreadable")
    for name, value in model.training.items():
        if name not in _FREE:
            yield name, list(value) if isinstance(value, tuple) else value
