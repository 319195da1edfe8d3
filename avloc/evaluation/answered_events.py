"""The events that a model answers, by the rules of `avloc.localize`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import Predictions
from avloc.evaluation.event_matching import EventLists
from avloc.events import EventRules, events_from_scores
from avloc.timeline import Grid


def answered_events(predictions: Predictions, rules: EventRules | None = None) -> EventLists:
    """Return the events of each row of R, as `avloc.localize` reads them off the same scores."""
    thresholds = np.array(predictions.thresholds, np.float32)
    has_sense = {"heard": predictions.has_sound, "seen": predictions.has_picture}
    events = []
    for row in range(len(predictions.scores)):
        grid = _grid(predictions, row)
        part = slice(grid.n_segments)
        senses = {
            name: array[row, part]
            for name, array in (("heard", predictions.heard), ("seen", predictions.seen))
            if array is not None and _has(has_sense[name], row)
        }
        events.append(
            events_from_scores(
                predictions.scores[row, part],
                grid,
                predictions.labels,
                rules,
                float(predictions.durations[row]),
                thresholds=thresholds,
                sense_thresholds=predictions.sense_thresholds,
                **senses,
            )
        )
    return events


def _has(of_rows: NDArray[np.bool_] | None, row: int) -> bool:
    return of_rows is None or bool(of_rows[row])


def _grid(predictions: Predictions, row: int) -> Grid:
    """Return the grid of a row, without what is behind its end."""
    scored = np.flatnonzero(predictions.scored[row])
    n_segments = int(scored[-1]) + 1 if len(scored) else predictions.scored.shape[1]
    return Grid(n_segments, predictions.segment_seconds)
