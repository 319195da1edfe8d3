"""Settings by name, sorted into those of the training and those of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields

from avloc.errors import UnknownNameError
from avloc.models import model_class
from avloc.options import Settings, options_from, values_of
from avloc.training import TrainingConfig


def settings_of(
    model: str,
    settings: Settings,
    named: Mapping[str, object],
    config: TrainingConfig | None = None,
) -> tuple[TrainingConfig, dict[str, object]]:
    """Sort settings into those of the training and those of the model.

    Args:
        model: the model's name.
        settings: ``key=value`` texts, or values by name.
        named: training options that were given by name; a setting of the same name wins.
        config: what they change; the defaults if None.

    Raises:
        UsageError: a setting is no ``key=value``, or a value cannot be.
        UnknownNameError: neither the training nor the model has such an option.
    """
    of_training = {entry.name for entry in fields(TrainingConfig)}
    of_model = {entry.name for entry in fields(model_class(model).Config)}
    training = asdict(config or TrainingConfig()) | dict(named)
    options: dict[str, object] = {}
    for key, value in values_of(settings, example="epochs=20").items():
        if key not in of_training | of_model:
            raise UnknownNameError("setting", key, of_training | of_model)
        (training if key in of_training else options)[key] = value
    return options_from(TrainingConfig, training), options
