"""From predictions to metrics."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

import numpy as np

from avloc.artifacts import Predictions
from avloc.evaluation import metrics
from avloc.evaluation.decoders import decode as read_classes
from avloc.evaluation.event_evaluation import EventEvaluation
from avloc.evaluation.event_metrics import event_f1
from avloc.evaluation.metrics import ClassMetrics, segment_accuracy
from avloc.labels import IGNORED


@dataclass(frozen=True)
class Evaluation:
    """The metrics of a model on a split. A number that the data cannot give is None.

    Attributes:
        segment_accuracy: share of right segments: the number in every table.
        interval: its 95 % bootstrap interval, videos resampled.
        majority_accuracy: of always answering ``majority_label``: a baseline without a model.
            None where the model file does not name that label.
        class_oracle_accuracy: of the true class of each row in all its segments: a baseline that
            knows what happens and not when.
        unseen_accuracy: segment accuracy on the rows whose video has no training row.
        foreground_f1: event against background, by segment.
        event_f1: events at tIoU 0.5.
        background_recall: share of background segments predicted as background.
        boundary_accuracy: segment accuracy on the rows whose class changes.
        calibration_error: the gap between confidence and accuracy; None where the scores were
            calibrated on this very split (the epoch was chosen on test).
        classes: the metrics of each class, background last.
        confusion: (C, C) segments by true (row) and predicted (column) class.
        n_rows, n_videos, n_segments: the rows, distinct videos and segments scored.
        n_boundary: rows whose class changes.
        n_seen: rows whose video has a training row too.
        missing_videos: ids of the split's videos that have no features.
        split, dataset, model: their names.
        fingerprint: of the features.
        decode: the decoder. Numbers of different decoders are not comparable.
        selection: where the epoch was chosen: ``val split``, ``held out``, or ``TEST split``.
        selected_by: by what it was chosen, in words; empty if the model file does not say.
        without: the modality that was taken from every video; empty for none.
        majority_label: the most frequent class of the segments that the model was trained on.
        late_events: rows whose event ends after its video, in words.
        events: metrics of events, labels and senses; None where only scores were measured.
    """

    segment_accuracy: float | None
    interval: tuple[float, float] | None
    majority_accuracy: float | None
    class_oracle_accuracy: float | None
    unseen_accuracy: float | None
    foreground_f1: float | None
    event_f1: float | None
    background_recall: float | None
    boundary_accuracy: float | None
    calibration_error: float | None
    classes: tuple[ClassMetrics, ...]
    confusion: tuple[tuple[int, ...], ...]
    n_rows: int
    n_videos: int
    n_segments: int
    n_boundary: int
    n_seen: int
    missing_videos: tuple[str, ...] = ()
    split: str = ""
    dataset: str = ""
    model: str = ""
    fingerprint: str = ""
    decode: str = "segment"
    selection: str = ""
    selected_by: str = ""
    without: str = ""
    majority_label: str = ""
    late_events: tuple[str, ...] = ()
    events: EventEvaluation | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return asdict(self)


def measure(
    predictions: Predictions,
    *,
    training_videos: Collection[str] = (),
    decode: str = "segment",
    selection: str = "",
    majority_label: str = "",
) -> Evaluation:
    """Measure predictions against their targets.

    Rows of ``training_videos`` are "seen". ``selection`` says how the model's epoch was chosen;
    ``majority_label`` is the most frequent class of its training segments, empty if unknown.
    """
    if not predictions.labels.is_exclusive:
        return _of_independent(predictions, selection, majority_label)
    targets, names = predictions.targets, predictions.labels.all_names
    background = predictions.labels.background_index
    predicted = read_classes(predictions.class_scores, targets != IGNORED, background, decode)
    boundary = metrics.has_boundary(targets)
    trained_on = frozenset(training_videos)  # hashed once, not once a row
    seen = np.array([name in trained_on for name in predictions.video_ids], dtype=bool)
    is_fitted_here = selection == "TEST split" and predictions.split == "test"
    return Evaluation(
        segment_accuracy=segment_accuracy(predicted, targets),
        interval=metrics.bootstrap_interval(predicted, targets, predictions.video_ids),
        majority_accuracy=(
            metrics.constant_accuracy(targets, names.index(majority_label))
            if majority_label in names
            else None
        ),
        class_oracle_accuracy=metrics.class_oracle_accuracy(targets, background),
        unseen_accuracy=segment_accuracy(predicted[~seen], targets[~seen]),
        foreground_f1=metrics.foreground_f1(predicted, targets, background),
        event_f1=event_f1(predicted, targets, background),
        background_recall=metrics.background_recall(predicted, targets, background),
        boundary_accuracy=segment_accuracy(predicted[boundary], targets[boundary]),
        calibration_error=(
            None if is_fitted_here else metrics.calibration_error(predictions.class_scores, targets)
        ),
        classes=metrics.class_metrics(predicted, targets, names),
        confusion=tuple(map(tuple, metrics.confusion(predicted, targets, len(names)).tolist())),
        n_rows=len(targets),
        n_videos=len(set(predictions.video_ids)),
        n_segments=int((targets != IGNORED).sum()),
        n_boundary=int(boundary.sum()),
        n_seen=int(seen.sum()),
        split=predictions.split,
        model=predictions.model,
        fingerprint=predictions.fingerprint,
        decode=decode,
        selection=selection,
        majority_label=majority_label,
    )


def _of_independent(predictions: Predictions, selection: str, majority_label: str) -> Evaluation:
    """Return the numbers that independent labels have: their segments have no class."""
    absent: dict[str, Any] = {
        entry.name: None for entry in fields(Evaluation) if entry.default is MISSING
    }
    return Evaluation(
        **absent
        | {
            "classes": (),
            "confusion": (),
            "n_rows": len(predictions.truth),
            "n_videos": len(set(predictions.video_ids)),
            "n_segments": int(predictions.scored.sum()),
            "n_boundary": 0,
            "n_seen": 0,
            "split": predictions.split,
            "model": predictions.model,
            "fingerprint": predictions.fingerprint,
            "selection": selection,
            "majority_label": majority_label,
        }
    )
