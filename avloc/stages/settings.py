"""Settings by name, sorted into those of the training and those of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from avloc.errors import UnknownNameError
from avloc.models import model_class
from avloc.options import Settings, options_from, values_of
from avloc.training import TrainingConfig


def settings_of(
    model: str, settings: Settings, named: Mapping[str, object]
) -> tuple[TrainingConfig, dict[str, object]]:
    """Sort settings into those of the training and those of the model.

    ``named`` are settings of the training too; ``settings`` win over them.
    """
    of_training = {entry.name for entry in fields(TrainingConfig)}
    of_model = {entry.name for entry in fields(model_class(model).Config)}
    training = dict(named)
    options: dict[str, object] = {}
    for key, value in values_of(settings, example="epochs=20").items():
        if key not in of_training | of_model:
            raise UnknownNameError("setting", key, of_training | of_model)
        (training if key in of_training else options)[key] = value
    return options_from(TrainingConfig, training), options
