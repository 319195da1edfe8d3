"""Evaluation: what a model is worth on a split, and how its maps meet boxes."""

from avloc.evaluation.evaluate import check_fingerprint, evaluate
from avloc.evaluation.events import event_f1
from avloc.evaluation.measure import Evaluation, measure
from avloc.evaluation.metrics import (
    ClassMetrics,
    background_recall,
    bootstrap_interval,
    class_metrics,
    confusion,
    foreground_f1,
    has_boundary,
    segment_accuracy,
    trivial_accuracy,
)
from avloc.evaluation.predict import Scored, predict
from avloc.evaluation.spatial import (
    SpatialMetrics,
    centre_map,
    measure_attention,
    measure_centre,
    spatial_metrics,
)

__all__ = [
    "ClassMetrics",
    "Evaluation",
    "Scored",
    "SpatialMetrics",
    "background_recall",
    "bootstrap_interval",
    "centre_map",
    "check_fingerprint",
    "class_metrics",
    "confusion",
    "evaluate",
    "event_f1",
    "foreground_f1",
    "has_boundary",
    "measure",
    "measure_attention",
    "measure_centre",
    "predict",
    "segment_accuracy",
    "spatial_metrics",
    "trivial_accuracy",
]
