"""The stages as functions: each does what its command does.

Beneath them, `avloc.features`, `avloc.training`, `avloc.evaluation` and `avloc.localization`
do the work on what they are handed; a stage finds the inputs and files the outputs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avloc.stages.evaluation import EvaluatedSplit, evaluate
    from avloc.stages.extraction import Extraction, Sources, extract, find_sources
    from avloc.stages.inputs import Input, find_inputs
    from avloc.stages.localization import localize
    from avloc.stages.localizing import Localization
    from avloc.stages.published import FeatureImport, import_features
    from avloc.stages.publishing import FeatureExport, export_features
    from avloc.stages.settings import settings_of
    from avloc.stages.synthesis import synth
    from avloc.stages.training import Training, labelled_store, train
    from avloc.stages.verify import Verification, verify
    from avloc.stages.workspace import Workspace

_HOME = {
    "EvaluatedSplit": "evaluation",
    "Extraction": "extraction",
    "FeatureExport": "publishing",
    "FeatureImport": "published",
    "Input": "inputs",
    "Localization": "localizing",
    "Sources": "extraction",
    "Training": "training",
    "Verification": "verify",
    "Workspace": "workspace",
    "evaluate": "evaluation",
    "export_features": "publishing",
    "extract": "extraction",
    "find_inputs": "inputs",
    "find_sources": "extraction",
    "import_features": "published",
    "labelled_store": "training",
    "localize": "localization",
    "settings_of": "settings",
    "synth": "synthesis",
    "train": "training",
    "verify": "verify",
}

__all__ = [
    "EvaluatedSplit",
    "Extraction",
    "FeatureExport",
    "FeatureImport",
    "Input",
    "Localization",
    "Sources",
    "Training",
    "Verification",
    "Workspace",
    "evaluate",
    "export_features",
    "extract",
    "find_inputs",
    "find_sources",
    "import_features",
    "labelled_store",
    "localize",
    "settings_of",
    "synth",
    "train",
    "verify",
]


def __getattr__(name: str) -> object:
    """Import a name from its module when it is first used: some of them cost seconds."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
