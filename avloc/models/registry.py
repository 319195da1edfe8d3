"""The models by name."""

from __future__ import annotations

from collections.abc import Callable

from avloc.errors import UnknownNameError
from avloc.models.avel import AVEL
from avloc.models.avsdn import AVSDN
from avloc.models.cam import CAM
from avloc.models.cman import CMAN
from avloc.models.model import Model
from avloc.options import options_from

MODELS: dict[str, type[Model]] = {"avel": AVEL, "avsdn": AVSDN, "cam": CAM, "cman": CMAN}


def list_models() -> list[str]:
    """Return the names that `build` knows."""
    return sorted(MODELS)


def model_class(name: str) -> type[Model]:
    """Return the class of a model; its ``Config`` holds the options with help and ranges."""
    if name not in MODELS:
        raise UnknownNameError("model", name, MODELS)
    return MODELS[name]


def build(
    name: str, *, visual_channels: int, audio_channels: int, n_classes: int, **options: object
) -> Model:
    """Build an untrained model.

    Args:
        name: one of `list_models`.
        visual_channels: Dv of the features.
        audio_channels: Da of the features.
        n_classes: C, with background.
        options: the model's own, as values or as text; see ``model_class(name).Config``.

    Raises:
        UnknownNameError: there is no such model, option or choice.
        UsageError: an option's value cannot be.
    """
    cls = model_class(name)
    make: Callable[[object], Model] = cls  # each paper's class takes its own Config only
    options |= {"visual_channels": visual_channels, "audio_channels": audio_channels}
    return make(options_from(cls.Config, options | {"n_classes": n_classes}))
