"""Hits, false alarms and misses of each label in each video, by segment and by event.

Answers and truth are (R, T, C) bool: video, segment, label. A segment that is not scored, or
that lies behind the end of a video shorter than T, is False in both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Marks = NDArray[np.bool_]
PerVideo = NDArray[np.float64]


@dataclass(frozen=True)
class Counts:
    """(R, C) each: what is in answer and truth, in the answer only, and in the truth only."""

    hits: NDArray[np.int64]
    false_alarms: NDArray[np.int64]
    misses: NDArray[np.int64]

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.hits + other.hits,
            self.false_alarms + other.false_alarms,
            self.misses + other.misses,
        )

    def f1(self) -> PerVideo:
        """Return (R,) F1 = 2TP / (2TP + FP + FN), the mean over a video's labels.

        Only labels in the truth or in the answer of the video count; it is 1 where none is.
        """
        total = 2 * self.hits + self.false_alarms + self.misses
        f1 = 2 * self.hits / np.maximum(total, 1)
        n_labels = (total > 0).sum(axis=1)
        return np.where(n_labels > 0, f1.sum(axis=1) / np.maximum(n_labels, 1), 1.0)


def count_segments(answer: Marks, truth: Marks) -> Counts:
    """Count segments."""
    return Counts(
        (answer & truth).sum(axis=1), (answer & ~truth).sum(axis=1), (~answer & truth).sum(axis=1)
    )


def count_events(answer: Marks, truth: Marks) -> Counts:
    """Count events: maximal runs of a label, matched where their IoU is at least 0.5.

    Two runs of one label are never adjacent, so a run reaches 0.5 with one other run at most,
    and no assignment is needed.
    """
    n_videos, _, n_labels = truth.shape
    guessed, true = _runs(answer), _runs(truth)
    matched = guessed[_are_matched(guessed, true)]

    def by_label(runs: NDArray[np.int64]) -> NDArray[np.int64]:
        counts = np.bincount(runs[:, 0], minlength=n_videos * n_labels)
        return np.asarray(counts.reshape(n_videos, n_labels), dtype=np.int64)

    hits = by_label(matched)
    return Counts(hits, by_label(guessed) - hits, by_label(true) - hits)


def _runs(marks: Marks) -> NDArray[np.int64]:
    """Return (N, 3) runs in order: the series (video times C + label), first, last exclusive."""
    n_videos, n_segments, n_labels = marks.shape
    series = marks.transpose(0, 2, 1).reshape(n_videos * n_labels, n_segments)
    steps = np.diff(np.pad(series.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    which, first = np.nonzero(steps > 0)
    _, last = np.nonzero(steps < 0)
    return np.stack([which, first, last], axis=1)


def _are_matched(guessed: NDArray[np.int64], true: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return for each guessed run whether a true run of its series has an IoU of at least 0.5."""
    begin = np.searchsorted(true[:, 0], guessed[:, 0], "left")
    n_pairs = np.searchsorted(true[:, 0], guessed[:, 0], "right") - begin
    guess = np.repeat(np.arange(len(guessed)), n_pairs)
    of_guess = np.arange(len(guess)) - np.repeat(np.cumsum(n_pairs) - n_pairs, n_pairs)
    a, b = guessed[guess], true[np.repeat(begin, n_pairs) + of_guess]
    shared = np.minimum(a[:, 2], b[:, 2]) - np.maximum(a[:, 1], b[:, 1])
    either = a[:, 2] - a[:, 1] + b[:, 2] - b[:, 1] - shared
    matched = np.zeros(len(guessed), dtype=bool)
    matched[guess[2 * shared >= either]] = True
    return matched
