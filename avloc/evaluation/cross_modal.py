"""Cross-modality localization: where in one modality is the event of the other?

The sound is the query for A2V, the picture for V2A. A window as long as the event slides over the
other modality; only the exact start counts. Rows without an event, or whose event fills all
segments, are not queries. (Tian et al., ECCV 2018, section 6.3.)

Events are (R, T) truth values. ``scored`` (R, T) marks the segments that count, by default all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import Predictions
from avloc.errors import UsageError

Events = NDArray[np.bool_]
NO_QUERY = -1
"""The start of a row that is not a query."""


@dataclass(frozen=True)
class TrivialMatches:
    """Expected accuracy of trivial answers; None without queries."""

    chance: float | None  # of any start, all equally likely
    first: float | None  # of the first possible start
    last: float | None  # of the last possible start
    n_rows: int  # the number of queries


@dataclass(frozen=True)
class CrossModal:
    """Two models of one modality each, on a split; an accuracy is None without queries."""

    a2v: float | None  # share of exact starts in the picture, with the sound as query
    v2a: float | None  # share of exact starts in the sound, with the picture as query
    trivial: TrivialMatches
    audio: str  # the model's name
    visual: str  # the model's name


def matched_starts(
    similarities: Iterable[NDArray[np.floating]], events: Events, scored: Events | None = None
) -> NDArray[np.int64]:
    """Return (R,) the first segment of the window that resembles the query most.

    It is the earliest of equals, and `NO_QUERY` where the row is not a query. ``similarities``
    has for each row (T, T), of query segment and target segment; ``events`` are the query's.
    """
    queries = {row: (query, starts) for row, query, starts in _queries(events, scored)}
    matched = np.full(len(events), NO_QUERY, dtype=np.int64)
    for row, similarity in enumerate(similarities):
        if row in queries:
            query, starts = queries[row]
            offsets = np.arange(len(query))
            sums = [similarity[query, start + offsets].sum() for start in starts]
            matched[row] = starts[int(np.argmax(sums))]
    return matched


def cross_modal_accuracy(
    starts: NDArray[np.int64], events: Events, scored: Events | None = None
) -> float | None:
    """Return the share of exact starts; None without queries."""
    return _mean([starts[row] == query[0] for row, query, _ in _queries(events, scored)])


def trivial_matches(events: Events, scored: Events | None = None) -> TrivialMatches:
    """Return the expected accuracy of chance, of always the first and of always the last start."""
    queries = [(query[0], starts) for _, query, starts in _queries(events, scored)]
    return TrivialMatches(
        chance=_mean([(first in starts) / len(starts) for first, starts in queries]),
        first=_mean([first == starts[0] for first, starts in queries]),
        last=_mean([first == starts[-1] for first, starts in queries]),
        n_rows=len(queries),
    )


def match(audio: Predictions, visual: Predictions) -> CrossModal:
    """Match by class: the similarity of two segments is sum_c p_audio(c) p_visual(c).

    This is not the distance learning of the AVE paper, whose numbers are also of other rows.
    """
    if (
        audio.labels != visual.labels
        or not np.array_equal(audio.rows, visual.rows)
        or not np.array_equal(audio.truth, visual.truth)
    ):
        raise UsageError(
            f"{audio.model} and {visual.model} were not scored on the same rows and labels",
            "Train both on the same data, with the same labels.",
        )
    scored = audio.scored
    events = scored & audio.truth.any(axis=-1)

    def accuracy(query: Predictions, target: Predictions) -> float | None:
        pairs = zip(query.class_scores, target.class_scores, strict=True)
        similarities = (np.einsum("tc,uc->tu", q, t, dtype=np.float64) for q, t in pairs)
        starts = matched_starts(similarities, events, scored)
        return cross_modal_accuracy(starts, events, scored)

    return CrossModal(
        a2v=accuracy(audio, visual),
        v2a=accuracy(visual, audio),
        trivial=trivial_matches(events, scored),
        audio=audio.model,
        visual=visual.model,
    )


def _queries(
    events: Events, scored: Events | None
) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.intp]]]:
    """Yield for each query its row, its segments, and the possible starts of a window."""
    scored = np.ones_like(events) if scored is None else scored
    for row, (is_event, is_scored) in enumerate(zip(events & scored, scored, strict=True)):
        query = np.flatnonzero(is_event)
        if 0 < len(query) < is_scored.sum():
            windows = np.lib.stride_tricks.sliding_window_view(is_scored, len(query))
            starts = np.flatnonzero(windows.all(axis=1))
            if len(starts):
                yield row, query, starts


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
