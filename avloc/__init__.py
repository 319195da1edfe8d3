"""avloc: audio-visual event localization.

A video goes in; out comes what happened, when, where in the picture, and by which sense it
was known::

    import avloc

    localizer = avloc.load("artifacts/models/cman.h5")
    timeline = localizer("clip.mp4")
    for event in timeline:
        print(event.start, event.end, event.label, event.score)
    avloc.save(timeline, "clip.csv")

``import avloc`` is light: each name is imported when it is first asked for (PEP 562).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avloc import errors
    from avloc.artifacts import FeatureStore
    from avloc.export import save
    from avloc.labels import LabelSet
    from avloc.localization import Localizer, load
    from avloc.models import list_models
    from avloc.reproduction import reproduce
    from avloc.stages import (
        evaluate,
        export_features,
        extract,
        import_features,
        localize,
        synth,
        train,
        verify,
    )
    from avloc.timeline import Event, Grid, Timeline

_HOME = {
    "Event": "avloc.timeline",
    "FeatureStore": "avloc.artifacts",
    "Grid": "avloc.timeline",
    "LabelSet": "avloc.labels",
    "Localizer": "avloc.localization",
    "Timeline": "avloc.timeline",
    "errors": "avloc",
    "evaluate": "avloc.stages",
    "export_features": "avloc.stages",
    "extract": "avloc.stages",
    "import_features": "avloc.stages",
    "list_models": "avloc.models",
    "load": "avloc.localization",
    "localize": "avloc.stages",
    "reproduce": "avloc.reproduction",
    "save": "avloc.export",
    "synth": "avloc.stages",
    "train": "avloc.stages",
    "verify": "avloc.stages",
}

__all__ = [
    "Event",
    "FeatureStore",
    "Grid",
    "LabelSet",
    "Localizer",
    "Timeline",
    "errors",
    "evaluate",
    "export_features",
    "extract",
    "import_features",
    "list_models",
    "load",
    "localize",
    "reproduce",
    "save",
    "synth",
    "train",
    "verify",
]


def __getattr__(name: str) -> object:
    """Import a public name from its home when it is first used."""
    if name == "__version__":
        from importlib.metadata import version

        return version("avloc")
    if name not in _HOME:
        raise AttributeError(f"module 'avloc' has no attribute {name!r}")
    value = import_module("avloc.errors") if name == "errors" else _home_of(name)
    globals()[name] = value
    return value


def _home_of(name: str) -> object:
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted([*__all__, "__version__"])
