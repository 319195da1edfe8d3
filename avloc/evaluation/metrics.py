"""Segment metrics of (R, T) class indices, background last; None where the data cannot give one.

A target of ``IGNORED`` is not scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from avloc.labels import IGNORED

Classes = NDArray[np.int64]
_N_BINS = 10  # of the calibration error
_N_RESAMPLES = 1000  # of the bootstrap


@dataclass(frozen=True)
class ClassMetrics:
    """The metrics of one class.

    ``accuracy`` is the share of right segments among all segments of the rows in which the class
    occurs, background too, as in the field's tables by category; None if it occurs in no row.
    """

    name: str
    accuracy: float | None
    precision: float  # share of its predicted segments that are right
    recall: float  # share of its true segments that are predicted
    f1: float  # their harmonic mean
    support: int  # the number of its true segments


def segment_accuracy(predicted: Classes, targets: Classes) -> float | None:
    """Return the share of right segments: the number in every table."""
    scored = targets != IGNORED
    return float((predicted == targets)[scored].mean()) if scored.any() else None


def class_oracle_accuracy(targets: Classes, background: int) -> float | None:
    """Return the accuracy of the true class of each row in all its segments, never background."""
    scored = targets[targets != IGNORED]
    return float((scored != background).mean()) if scored.size else None


def constant_accuracy(targets: Classes, answer: int) -> float | None:
    """Return the accuracy of one class in every segment of every row."""
    scored = targets[targets != IGNORED]
    return float((scored == answer).mean()) if scored.size else None


def has_boundary(targets: Classes) -> NDArray[np.bool_]:
    """Return (R,): the row's class changes somewhere."""
    return np.array([len(set(row[row != IGNORED].tolist())) > 1 for row in targets], dtype=bool)


def background_recall(predicted: Classes, targets: Classes, background: int) -> float | None:
    """Return the share of true background segments predicted as such."""
    is_background = targets == background
    if not is_background.any():
        return None
    return float((predicted[is_background] == background).mean())


def foreground_f1(predicted: Classes, targets: Classes, background: int) -> float | None:
    """Return F1 of any event against background."""
    scored = targets != IGNORED
    truth, guess = targets[scored] != background, predicted[scored] != background
    if not truth.any() and not guess.any():
        return None
    return float(f1_score(truth, guess))


def confusion(predicted: Classes, targets: Classes, n_classes: int) -> NDArray[np.int64]:
    """Return (C, C): segments by true class (row) and predicted class (column)."""
    scored = targets != IGNORED
    labels = np.arange(n_classes)
    counts = confusion_matrix(targets[scored], predicted[scored], labels=labels)
    return np.asarray(counts, dtype=np.int64)


def class_metrics(
    predicted: Classes, targets: Classes, names: Sequence[str]
) -> tuple[ClassMetrics, ...]:
    """Return the metrics of each class, background last."""
    scored = targets != IGNORED
    columns = precision_recall_fscore_support(
        targets[scored], predicted[scored], labels=np.arange(len(names)), zero_division=0.0
    )
    classes = []
    for k, (precision, recall, f1, support) in enumerate(zip(*columns, strict=True)):
        rows = (targets == k).any(axis=1)
        accuracy = segment_accuracy(predicted[rows], targets[rows])
        ratios = (float(precision), float(recall), float(f1))
        classes.append(ClassMetrics(names[k], accuracy, *ratios, int(support)))
    return tuple(classes)


def calibration_error(scores: NDArray[np.floating], targets: Classes) -> float | None:
    """Return the expected calibration error: the mean gap between confidence and accuracy.

    Segments go into ten bins of equal width by the probability of their likeliest class. The gap
    of each bin is weighted by its segments. Scores are (R, T, C).
    """
    scored = targets != IGNORED
    if not scored.any():
        return None
    confidence = scores.max(axis=-1)[scored].astype(np.float64)
    right = (scores.argmax(axis=-1) == targets)[scored]
    bins = np.minimum((confidence * _N_BINS).astype(np.int64), _N_BINS - 1)
    gaps = np.bincount(bins, confidence - right, _N_BINS)
    return float(np.abs(gaps).sum() / scored.sum())


def bootstrap_interval(
    predicted: Classes, targets: Classes, video_ids: Sequence[str]
) -> tuple[float, float] | None:
    """Return the 95 % percentile interval of the segment accuracy over resampled videos.

    The segments of a video are not independent, so whole videos are drawn, with replacement.
    Predictions of several seeds, (S, R, T), give the interval of their mean accuracy.
    """
    names, video_of_row = np.unique(np.asarray(video_ids), return_inverse=True)
    scored = targets != IGNORED
    n_scored = np.bincount(video_of_row, scored.sum(axis=1), len(names))
    of_seeds = predicted.reshape(-1, *targets.shape)
    right_of_row = (scored & (of_seeds == targets)).sum(axis=2).mean(axis=0)
    n_right = np.bincount(video_of_row, right_of_row, len(names))
    if not n_scored.any():
        return None
    drawn = np.random.default_rng(0).integers(len(names), size=(_N_RESAMPLES, len(names)))
    accuracies = n_right[drawn].sum(axis=1) / np.maximum(n_scored[drawn].sum(axis=1), 1)
    low, high = np.percentile(accuracies, [2.5, 97.5])
    return float(low), float(high)
