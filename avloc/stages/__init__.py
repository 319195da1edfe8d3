"""The stages as functions: each does what its command does.

Beneath them, `avloc.features`, `avloc.training`, `avloc.evaluation` and `avloc.localization`
do the work on what they are handed; a stage finds the inputs and files the outputs.
"""

from avloc.stages.evaluation import EvaluatedSplit, evaluate
from avloc.stages.extraction import Extraction, Sources, extract, find_sources
from avloc.stages.localization import Localization, localize
from avloc.stages.published import FeatureImport, import_features
from avloc.stages.publishing import FeatureExport, export_features
from avloc.stages.training import Training, labelled_store, train
from avloc.stages.workspace import Workspace

__all__ = [
    "EvaluatedSplit",
    "Extraction",
    "FeatureExport",
    "FeatureImport",
    "Localization",
    "Sources",
    "Training",
    "Workspace",
    "evaluate",
    "export_features",
    "extract",
    "find_sources",
    "import_features",
    "labelled_store",
    "localize",
    "train",
]
