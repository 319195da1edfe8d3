"""Evaluation: predictions on a split, their metrics, and attention maps against boxes."""

from avloc.evaluation.cross_modal import CrossModal as CrossModal
from avloc.evaluation.evaluator import evaluate as evaluate
from avloc.evaluation.measure import Evaluation as Evaluation
from avloc.evaluation.measure import measure as measure
from avloc.evaluation.metrics import bootstrap_interval as bootstrap_interval
from avloc.evaluation.metrics import class_oracle_accuracy as class_oracle_accuracy
from avloc.evaluation.metrics import constant_accuracy as constant_accuracy
from avloc.evaluation.spatial import SpatialMetrics as SpatialMetrics
from avloc.evaluation.spatial import measure_attention as measure_attention
from avloc.evaluation.spatial import measure_centre as measure_centre
