"""avloc: audio-visual event localization.

A video goes in; out comes what happened, when, where in the picture, and by which sense it
was known::

    import avloc

    localizer = avloc.load("artifacts/models/cman.h5")
    timeline = localizer("clip.mp4")
    for event in timeline:
        print(event.start, event.end, event.label, event.score)
    avloc.save(timeline, "clip.csv")

``import avloc`` is light: each name is imported when it is first used (PEP 562).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avloc import errors as errors
    from avloc.artifacts import FeatureStore as FeatureStore
    from avloc.export.formats.saving import save as save
    from avloc.labels import LabelSet as LabelSet
    from avloc.localizer import Localizer as Localizer
    from avloc.localizer import load as load
    from avloc.models import list_models as list_models
    from avloc.stages.calibrate import calibrate as calibrate
    from avloc.stages.evaluate import evaluate as evaluate
    from avloc.stages.export_features import export_features as export_features
    from avloc.stages.extract import extract as extract
    from avloc.stages.import_features import import_features as import_features
    from avloc.stages.label import label as label
    from avloc.stages.localize.run import localize as localize
    from avloc.stages.open_model import open_model as open_model
    from avloc.stages.status import status as status
    from avloc.stages.synth import synth as synth
    from avloc.stages.train import train as train
    from avloc.stages.verify import verify as verify
    from avloc.tables.reproduction import reproduce as reproduce
    from avloc.timeline import Event as Event
    from avloc.timeline import Grid as Grid
    from avloc.timeline import Timeline as Timeline

_HOME = {
    "Event": "avloc.timeline",
    "FeatureStore": "avloc.artifacts",
    "Grid": "avloc.timeline",
    "LabelSet": "avloc.labels",
    "Localizer": "avloc.localizer",
    "Timeline": "avloc.timeline",
    "calibrate": "avloc.stages.calibrate",
    "evaluate": "avloc.stages.evaluate",
    "export_features": "avloc.stages.export_features",
    "extract": "avloc.stages.extract",
    "import_features": "avloc.stages.import_features",
    "label": "avloc.stages.label",
    "list_models": "avloc.models",
    "load": "avloc.localizer",
    "localize": "avloc.stages.localize.run",
    "open_model": "avloc.stages.open_model",
    "reproduce": "avloc.tables.reproduction",
    "save": "avloc.export.formats.saving",
    "status": "avloc.stages.status",
    "synth": "avloc.stages.synth",
    "train": "avloc.stages.train",
    "verify": "avloc.stages.verify",
}
__all__ = [*_HOME, "errors"]


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first used."""
    if name == "__version__":
        from importlib.metadata import version

        return version("avloc")
    if name == "errors":
        return import_module("avloc.errors")
    if name not in _HOME:
        raise AttributeError(f"module 'avloc' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted([*__all__, "__version__"])
