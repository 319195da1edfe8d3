"""The stages as functions: each does what its command does.

Beneath them, `avloc.features`, `avloc.training`, `avloc.evaluation` and `avloc.localization`
do the work on what they are handed; a stage finds the inputs and files the outputs.
"""

from avloc.stages.evaluation import EvaluatedSplit, evaluate
from avloc.stages.extraction import Extraction, Sources, extract, find_sources
from avloc.stages.inputs import Input, find_inputs
from avloc.stages.localization import NOWHERE, localize
from avloc.stages.localizing import Localization
from avloc.stages.published import FeatureImport, import_features
from avloc.stages.publishing import FeatureExport, export_features
from avloc.stages.settings import settings_of
from avloc.stages.synthesis import synth
from avloc.stages.training import Training, labelled_store, train
from avloc.stages.verify import Verification, verify
from avloc.stages.workspace import Workspace

__all__ = [
    "NOWHERE",
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
