"""Between a model in memory and a model file, and the device it runs on."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.artifacts import ModelFile
from avloc.devices import choose_device
from avloc.errors import ArtifactError
from avloc.models.model import Model
from avloc.models.registry import build


def restore(model_file: ModelFile, device: str | torch.device = "cpu") -> Model:
    """Make the model of a file, ready to answer (evaluation mode, no gradients).

    Raises:
        UnknownNameError: it is a model this avloc does not have.
        ArtifactError: its weights do not fit what its config builds.
        UsageError: there is no such device.
    """
    model = build(model_file.name, **cast(Any, dict(model_file.config)))
    weights = {name: torch.from_numpy(np.array(w)) for name, w in model_file.weights.items()}
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ArtifactError(
            f"the weights do not fit the {model_file.name} that the file's config builds: {error}",
            "The file was written by another avloc or changed by hand; train again.",
        ) from error
    return model.to(choose_device(device)).eval().requires_grad_(False)


def state_arrays(model: Model) -> dict[str, NDArray[Any]]:
    """Return a copy of a model's weights as arrays, by name, for a model file."""
    return {name: w.detach().cpu().numpy().copy() for name, w in model.state_dict().items()}
