"""What is measured by event on a split, beside the truth with the times of the annotation.

A row is a video, or in AVE one annotated event of it. Arrays are (R, T, C), of rows of several
lengths; behind a row's end nothing is scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import Predictions
from avloc.datasets import Dataset
from avloc.datasets.examples import Examples
from avloc.datasets.senses import SegmentSenses, find_senses
from avloc.evaluation.answered_events import answered_events
from avloc.evaluation.counts import Marks
from avloc.evaluation.event_matching import EventLists
from avloc.evaluation.parsing_f1 import ParsedSenses
from avloc.events import DEFAULT_THRESHOLD, sense_limits
from avloc.timeline import Event, Grid

_Scores = NDArray[np.float32] | None


@dataclass(frozen=True)
class Answers:
    """What is measured by event, beside the truth.

    Attributes:
        events: of each row, answered.
        true_events: of each row; empty too where nobody says when (`knows_times`).
        knows_times: (R,) the truth of the row says when.
        senses: the segments in which each label is answered, by sense.
        present: (R, C) the labels that the row has, as a weak label says them.
        clip_labels: the label of each row in the data set; empty without one.
        seconds: (R,) the length of each row.
        audible, visible: (R, T, C) where each label is heard and seen, by ``senses.json`` or else
            by the true events; None where neither says.
    """

    events: EventLists
    true_events: EventLists
    knows_times: NDArray[np.bool_]
    senses: ParsedSenses
    present: NDArray[np.bool_]
    clip_labels: tuple[str, ...]
    seconds: NDArray[np.float64]
    audible: Marks | None = None
    visible: Marks | None = None


def answers_of(predictions: Predictions, examples: Examples, dataset: Dataset) -> Answers:
    """Read the answers off predictions, as `avloc.localize` does."""
    labels, times = predictions.labels, [_true_events(dataset, e.row) for e in examples.entries]
    columns = [labels.index(name) for name in dataset.labels.names]
    present = np.zeros((len(examples), labels.n_labels), dtype=bool)
    seconds = np.zeros(len(examples))
    for row, entry in enumerate(examples.entries):
        present[row, columns] = entry.present
        whole = float(len(entry.targets) * predictions.segment_seconds)
        seconds[row] = min(whole, predictions.durations[row] or whole)
    events = answered_events(predictions)
    audible, visible = _by_sense(predictions, find_senses(dataset.root))
    return Answers(
        events=events,
        true_events=[of_row or () for of_row in times],
        knows_times=np.array([of_row is not None for of_row in times]),
        senses=_senses(predictions, events),
        present=present,
        clip_labels=tuple(dataset.rows[entry.row].label for entry in examples.entries),
        seconds=seconds,
        audible=audible,
        visible=visible,
    )


def marked(events: Sequence[Event], grid: Grid, names: tuple[str, ...]) -> Marks:
    """Return (T, C): the segments of answered events, which begin where a segment does."""
    marks = np.zeros((grid.n_segments, len(names)), dtype=bool)
    starts = grid.segment_times()[:, 0]
    for event in events:  # the end may lie before the last segment's, with the video's
        marks[:, names.index(event.label)] |= (starts >= event.start) & (starts < event.end)
    return marks


def _senses(predictions: Predictions, events: EventLists) -> ParsedSenses:
    """Say by segment what `avloc.events.sense_of` says by event; unknown counts as both."""
    names = predictions.labels.names
    grid = Grid(predictions.scores.shape[1], predictions.segment_seconds)
    marks = np.stack([marked(of_row, grid, names) for of_row in events])
    marks &= predictions.scored[..., None]
    limits = np.array(predictions.thresholds or [DEFAULT_THRESHOLD] * len(names), np.float32)
    levels = sense_limits(limits, predictions.sense_thresholds)
    can_hear = _can(predictions.heard, predictions.has_sound, len(marks))
    can_see = _can(predictions.seen, predictions.has_picture, len(marks))
    # a sense that alone is there knows every event of its row
    is_heard = can_hear & (_reaches(predictions.heard, levels[0]) | ~can_see)
    is_seen = can_see & (_reaches(predictions.seen, levels[1]) | ~can_hear)
    return ParsedSenses(marks & (is_heard | ~is_seen), marks & (is_seen | ~is_heard))


def _by_sense(
    predictions: Predictions, senses: SegmentSenses | None
) -> tuple[Marks | None, Marks | None]:
    """Return where each label is audible, and where it is visible."""
    if senses is None:
        return predictions.true_heard, predictions.true_seen
    audible, visible = np.zeros((2, *predictions.truth.shape), bool)
    for row, video_id in enumerate(predictions.video_ids):
        for name, label in senses.get(video_id, {}).items():
            if name in predictions.labels.names:
                column = predictions.labels.index(name)
                for array, flags in ((audible, label.heard), (visible, label.seen)):
                    n = min(len(flags), array.shape[1])
                    array[row, :n, column] = flags[:n]
    return audible, visible


def _can(scores: _Scores, has_sense: NDArray[np.bool_] | None, n_rows: int) -> Marks:
    """Return (R, 1, 1): the model can tell what the sense says, and the video has it."""
    rows = np.full(n_rows, scores is not None)
    return (rows if has_sense is None else rows & has_sense)[:, None, None]


def _reaches(scores: _Scores, limits: NDArray[np.float32]) -> Marks:
    return np.zeros(1, bool) if scores is None else np.asarray(scores >= limits)


def _true_events(dataset: Dataset, number: int) -> tuple[Event, ...] | None:
    row = dataset.rows[number]
    if not dataset.is_row_alone:
        return dataset.events_of(row.video_id)
    if row.is_whole_video:
        return None
    return (Event(row.start, row.end, row.label, 1.0, row.sense),) if row.is_event else ()
