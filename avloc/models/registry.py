"""The models by name: avloc's, those registered in this process, and those of other packages."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from avloc.errors import UnknownNameError, UsageError
from avloc.models.avel import AVEL
from avloc.models.avsdn import AVSDN
from avloc.models.cam import CAM
from avloc.models.cman import CMAN
from avloc.models.han import HAN
from avloc.models.model import Model
from avloc.models.open_labels import OpenLabels
from avloc.models.plugins import (
    check_model,
    is_of_plugin,
    load_plugin,
    plugin_names,
    plugin_package,
)
from avloc.options import options_from

MODELS: dict[str, type[Model]] = {
    "avel": AVEL,
    "avsdn": AVSDN,
    "cam": CAM,
    "cman": CMAN,
    "han": HAN,
    "open": OpenLabels,
}
"""avloc's; nothing can take these names."""
_registered: dict[str, type[Model]] = {}
_Class = TypeVar("_Class", bound=type[Model])


def register(name: str) -> Callable[[_Class], _Class]:
    """Make a model known by a name in this process; a decorator of its class.

    A package that is installed offers its models to every process by entry points instead, of
    the group ``avloc.models``. A class may be registered again, as a notebook does.

    Args:
        name: what `build` and ``avloc.train(model=...)`` take; letters, digits, ``-``, ``_``.

    Raises:
        UsageError: the name is taken or not possible, or this is not a model.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w-]*", name, re.ASCII):
        raise UsageError(
            f"{name!r} cannot be a model's name", "Use letters, digits, hyphens and underscores."
        )

    def add(cls: _Class) -> _Class:
        check_model(cls, f"what is to be registered as {name!r}")
        if owner := _other_owner(name, cls):
            raise UsageError(f"the model name {name!r} is taken by {owner}", "Use another name.")
        _registered[name] = cls
        return cls

    return add


def _other_owner(name: str, cls: type[Model]) -> str:
    """Return what has this name already, unless it is the class itself; empty if nothing has."""
    if name in MODELS:
        return "avloc"
    if name in _registered and _path(_registered[name]) != _path(cls):
        return _path(_registered[name])
    if is_of_plugin(name, cls.__module__):
        return ""
    return plugin_package(name)


def list_models() -> list[str]:
    """Return the names that `build` knows."""
    return sorted({*MODELS, *_registered, *plugin_names()})


def model_class(name: str) -> type[Model]:
    """Return the class of a model; its ``Config`` holds the options with help and ranges.

    Raises:
        UnknownNameError: there is no such model.
        DependencyError: a package offers it, but it cannot be used.
    """
    known = MODELS | _registered
    if name in known:
        return known[name]
    if name not in plugin_names():
        raise UnknownNameError("model", name, list_models())
    return load_plugin(name)


def origin_of(name: str) -> dict[str, str]:
    """Return the ``model_package`` or ``model_module`` of a model that is not avloc's."""
    if name in MODELS:
        return {}
    if package := plugin_package(name):
        return {"model_package": package}
    return {"model_module": _registered[name].__module__} if name in _registered else {}


def build(
    name: str, *, visual_channels: int, audio_channels: int, n_classes: int, **options: object
) -> Model:
    """Build an untrained model.

    Args:
        name: one of `list_models`.
        visual_channels: Dv of the features.
        audio_channels: Da of the features.
        n_classes: the number of logits: C + 1 with background, or C if ``independent``.
        options: the model's own, as values or as text; see ``model_class(name).Config``.

    Raises:
        UnknownNameError: there is no such model, option or choice.
        UsageError: an option's value cannot be.
    """
    cls = model_class(name)
    make: Callable[[object], Model] = cls  # each paper's class takes its own Config only
    options |= {"visual_channels": visual_channels, "audio_channels": audio_channels}
    return make(options_from(cls.Config, options | {"n_classes": n_classes}))


def _path(cls: type[Model]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
