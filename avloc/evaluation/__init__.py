"""Evaluation: what a model is worth on a split, and how its maps meet boxes."""

from avloc.evaluation.cross_modal import (
    CrossModal,
    TrivialMatches,
    cross_modal_accuracy,
    match,
    matched_starts,
    trivial_matches,
)
from avloc.evaluation.decoders import DECODERS, check_decoder, decode
from avloc.evaluation.evaluator import evaluate
from avloc.evaluation.event_metrics import event_f1
from avloc.evaluation.measure import Evaluation, measure
from avloc.evaluation.metrics import (
    ClassMetrics,
    background_recall,
    bootstrap_interval,
    class_metrics,
    class_oracle_accuracy,
    confusion,
    constant_accuracy,
    foreground_f1,
    has_boundary,
    segment_accuracy,
)
from avloc.evaluation.spatial import (
    SpatialMetrics,
    SpatialPair,
    centre_map,
    has_boxes,
    measure_attention,
    measure_centre,
    measure_spatial,
    spatial_metrics,
)

__all__ = [
    "DECODERS",
    "ClassMetrics",
    "CrossModal",
    "Evaluation",
    "SpatialMetrics",
    "SpatialPair",
    "TrivialMatches",
    "background_recall",
    "bootstrap_interval",
    "centre_map",
    "check_decoder",
    "class_metrics",
    "class_oracle_accuracy",
    "confusion",
    "constant_accuracy",
    "cross_modal_accuracy",
    "decode",
    "evaluate",
    "event_f1",
    "foreground_f1",
    "has_boundary",
    "has_boxes",
    "match",
    "matched_starts",
    "measure",
    "measure_attention",
    "measure_centre",
    "measure_spatial",
    "segment_accuracy",
    "spatial_metrics",
    "trivial_matches",
]
