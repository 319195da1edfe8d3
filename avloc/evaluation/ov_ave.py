"""The metrics of OV-AVEBench: accuracy per second, segment F1 and event F1 of each clip.

Zhou et al., Towards open-vocabulary audio-visual event localization, CVPR 2025. Classes are the
labels and background, which is counted as a class: its runs are events too. On all 5,820 test
clips the class of each clip in every second has 61.5 / 54.0 / 50.1 %, and background in every
second has 38.5 / 33.5 / 28.7 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.counts import Marks, PerVideo, count_events, count_segments


@dataclass(frozen=True)
class ClipMetrics:
    """The means over clips; shares from 0 to 1."""

    accuracy: float  # share of right seconds
    segment_f1: float  # F1 of segments, the mean over the classes in truth or answer
    event_f1: float  # F1 of runs that match at IoU 0.5, the mean over those classes
    n_clips: int


def clip_values(
    predicted: NDArray[np.int64], targets: NDArray[np.int64], scored: Marks, n_classes: int
) -> dict[str, PerVideo]:
    """Return (R,) of each number of `ClipMetrics`, by name; their means are the metrics.

    ``predicted`` and ``targets`` are (R, T) class indices below ``n_classes``, background last;
    ``scored`` (R, T) marks the segments that count.
    """
    answer, truth = (_marks(classes, scored, n_classes) for classes in (predicted, targets))
    right = (scored & (predicted == targets)).sum(axis=1)
    return {
        "accuracy": right / np.maximum(scored.sum(axis=1), 1),
        "segment_f1": count_segments(answer, truth).f1(),
        "event_f1": count_events(answer, truth).f1(),
    }


def clip_metrics(
    values: dict[str, PerVideo], of_clips: NDArray[np.bool_] | None = None
) -> ClipMetrics | None:
    """Return the means of `clip_values` over some clips, all by default; None without a clip.

    The field's tables have them for clips of seen classes, of unseen classes, and in total.
    """
    chosen = np.ones(len(values["accuracy"]), bool) if of_clips is None else of_clips
    if not chosen.any():
        return None
    means = {name: float(of[chosen].mean()) for name, of in values.items()}
    return ClipMetrics(**means, n_clips=int(chosen.sum()))


def _marks(classes: NDArray[np.int64], scored: Marks, n_classes: int) -> Marks:
    return np.asarray((classes[..., None] == np.arange(n_classes)) & scored[..., None])
