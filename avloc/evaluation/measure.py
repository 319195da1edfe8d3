"""From predictions to numbers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import Predictions
from avloc.datasets.examples import IGNORED
from avloc.evaluation.decoders import decode as decoded
from avloc.evaluation.event_metrics import event_f1
from avloc.evaluation.metrics import (
    ClassMetrics,
    background_recall,
    bootstrap_interval,
    calibration_error,
    class_metrics,
    class_oracle_accuracy,
    confusion,
    constant_accuracy,
    foreground_f1,
    has_boundary,
    segment_accuracy,
)


@dataclass(frozen=True)
class Evaluation:
    """How well a model did on a split. A number the data cannot give is None.

    Attributes:
        segment_accuracy: the number in every table.
        interval: its 95 % bootstrap interval, videos resampled.
        majority_accuracy: of always answering ``majority_label``, which needs no model and
            no clip: print it beside. None where the model file does not name that label.
        class_oracle_accuracy: of each clip's true class everywhere, never background: it
            knows the class and nothing about when.
        unseen_accuracy: segment accuracy on the rows whose video has no training row.
        foreground_f1: event against background per segment.
        event_f1: events at tIoU 0.5.
        background_recall: share of background segments found.
        boundary_accuracy: segment accuracy on the rows whose class changes.
        calibration_error: how far the scores' confidence and accuracy are apart; None where
            the scores were calibrated on this very split (the epoch was chosen on test).
        classes: every class's metrics, background last.
        confusion: (C, C) segments by true (row) and predicted (column) class.
        n_rows: examples scored (windows, where a video has several).
        n_videos: distinct videos scored.
        n_segments: segments scored.
        n_boundary: rows whose class changes.
        n_seen: rows whose video has a training row too.
        missing_videos: ids of the split's videos that have no features.
        split: which split, of
        dataset: which data set, by
        model: which model, with features of
        fingerprint: this hash.
        decode: how classes were read off the scores, one of `decoding.DECODERS`; numbers of
            different decoders are not comparable.
        selection: how the epoch was chosen: ``val split``, ``held out``, or ``TEST split``.
        without: the modality that was taken from every video, or nothing.
        majority_label: the most frequent class of the segments that the model was trained on.
        late_events: rows whose event ends after its video, in words.
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
    missing_videos: tuple[str, ...]
    split: str
    dataset: str
    model: str
    fingerprint: str
    decode: str = "segment"
    selection: str = ""
    without: str = ""
    majority_label: str = ""
    late_events: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return asdict(self)


def measure(
    predictions: Predictions,
    *,
    dataset: str = "",
    missing_videos: tuple[str, ...] = (),
    training_videos: Collection[str] = (),
    decode: str = "segment",
    selection: str = "",
    without: str = "",
    majority_label: str = "",
) -> Evaluation:
    """Measure predictions against their targets.

    Args:
        predictions: scores beside the truth.
        dataset: the data set's name.
        missing_videos: ids that should have been scored and have no features.
        training_videos: ids that have a training row; rows of these are "seen".
        decode: how classes are read off the scores, one of `decoding.DECODERS`.
        selection: how the model's epoch was chosen.
        without: the modality that the model was not given.
        majority_label: the most frequent class of the training segments; empty if unknown.

    Raises:
        UnknownNameError: there is no such decoder.
    """
    targets, names = predictions.targets, predictions.labels.all_names
    background = predictions.labels.background_index
    predicted = decoded(predictions.scores, targets != IGNORED, background, decode)
    boundary = has_boundary(targets)
    is_fitted_here = selection == "TEST split" and predictions.split == "test"
    trained_on = frozenset(training_videos)  # hashed once, not once a row
    seen = np.array([name in trained_on for name in predictions.video_ids], dtype=bool)
    return Evaluation(
        segment_accuracy=segment_accuracy(predicted, targets),
        interval=bootstrap_interval(predicted, targets, predictions.video_ids),
        majority_accuracy=(
            constant_accuracy(targets, names.index(majority_label))
            if majority_label in names
            else None
        ),
        class_oracle_accuracy=class_oracle_accuracy(targets, background),
        unseen_accuracy=segment_accuracy(predicted[~seen], targets[~seen]),
        foreground_f1=foreground_f1(predicted, targets, background),
        event_f1=event_f1(predicted, targets, background),
        background_recall=background_recall(predicted, targets, background),
        boundary_accuracy=segment_accuracy(predicted[boundary], targets[boundary]),
        calibration_error=(
            None if is_fitted_here else calibration_error(predictions.scores, targets)
        ),
        classes=class_metrics(predicted, targets, names),
        confusion=_as_tuples(confusion(predicted, targets, len(names))),
        n_rows=len(targets),
        n_videos=len(set(predictions.video_ids)),
        n_segments=int((targets != IGNORED).sum()),
        n_boundary=int(boundary.sum()),
        n_seen=int(seen.sum()),
        missing_videos=missing_videos,
        split=predictions.split,
        dataset=dataset,
        model=predictions.model,
        fingerprint=predictions.fingerprint,
        decode=decode,
        selection=selection,
        without=without,
        majority_label=majority_label,
    )


def _as_tuples(table: NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(count) for count in row) for row in table)
