"""Cross-modality localization: where in one modality is what the other one shows?

Given the event's segments of one modality, find them in the other: A2V asks with the sound,
V2A with the picture. A window as long as the event slides over the other modality; it is put
where it resembles the query most, segment by segment. Only the exact start counts. Rows
without an event, or whose event fills all segments, ask nothing and are left out. (Tian et
al., Audio-visual event localization in unconstrained videos, ECCV 2018, section 6.3.)

Events are (R, T) truth values. ``scored`` (R, T) says which segments a row really has, all of
them by default; a window lies wholly within these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import Predictions
from avloc.datasets.examples import IGNORED
from avloc.errors import UsageError

Events = NDArray[np.bool_]
NOT_ASKED = -1
"""The start of a row that asks nothing."""


@dataclass(frozen=True)
class TrivialMatches:
    """How often an exact start is hit without looking; None where no row asks.

    Attributes:
        chance: by any start, all equally likely.
        first: by always the first start there is.
        last: by always the last.
        n_rows: the rows that ask.
    """

    chance: float | None
    first: float | None
    last: float | None
    n_rows: int


@dataclass(frozen=True)
class CrossModal:
    """Two models of one modality each, on a split; an accuracy is None where no row asks.

    Attributes:
        a2v: share of exact starts in the picture, asked with the sound.
        v2a: share of exact starts in the sound, asked with the picture.
        trivial: the same without looking: print it beside.
        audio: the model that hears.
        visual: the model that sees.
    """

    a2v: float | None
    v2a: float | None
    trivial: TrivialMatches
    audio: str
    visual: str


def matched_starts(
    similarity: NDArray[np.floating], events: Events, scored: Events | None = None
) -> NDArray[np.int64]:
    """Put each row's window where it resembles the query most; the first of equals.

    Args:
        similarity: (R, T, T), of query segment t and target segment u; a distance negated.
        events: (R, T), the query's segments.
        scored: (R, T).

    Returns:
        (R,) first segment of the window; `NOT_ASKED` where the row asks nothing.
    """
    found = np.full(len(events), NOT_ASKED, dtype=np.int64)
    for row, query, starts in _questions(events, scored):
        offsets = np.arange(len(query))
        sums = [similarity[row, query, start + offsets].sum() for start in starts]
        found[row] = starts[int(np.argmax(sums))]
    return found


def cross_modal_accuracy(
    starts: NDArray[np.int64], events: Events, scored: Events | None = None
) -> float | None:
    """Return the share of exact starts among the rows that ask; None if none does."""
    right = [starts[row] == query[0] for row, query, _ in _questions(events, scored)]
    return _mean(right)


def trivial_matches(events: Events, scored: Events | None = None) -> TrivialMatches:
    """Return the expected accuracy of chance, of always first and of always last."""
    asked = list(_questions(events, scored))
    return TrivialMatches(
        chance=_mean([(query[0] in starts) / len(starts) for _, query, starts in asked]),
        first=_mean([query[0] == starts[0] for _, query, starts in asked]),
        last=_mean([query[0] == starts[-1] for _, query, starts in asked]),
        n_rows=len(asked),
    )


def match(audio: Predictions, visual: Predictions) -> CrossModal:
    """Match by class: two segments resemble each other by sum_c p_audio(c) p_visual(c).

    The classes are the space both modalities share, so nothing more needs training; it is
    not the distance learning of the AVE paper, whose numbers are of other rows as well.

    Args:
        audio: of a model that only hears.
        visual: of a model that only sees, on the same rows, with the same labels.

    Raises:
        UsageError: they are not of the same rows and labels.
    """
    if (
        audio.labels != visual.labels
        or not np.array_equal(audio.rows, visual.rows)
        or not np.array_equal(audio.targets, visual.targets)
    ):
        raise UsageError(
            f"{audio.model} and {visual.model} were not scored on the same windows and labels",
            "Train both on the same data, with the same labels.",
        )
    scored = audio.targets != IGNORED
    events = scored & (audio.targets != audio.labels.background_index)
    similarity = np.einsum("rtc,ruc->rtu", audio.scores, visual.scores, dtype=np.float64)
    by_sound = matched_starts(similarity, events, scored)
    by_sight = matched_starts(similarity.swapaxes(1, 2), events, scored)
    return CrossModal(
        a2v=cross_modal_accuracy(by_sound, events, scored),
        v2a=cross_modal_accuracy(by_sight, events, scored),
        trivial=trivial_matches(events, scored),
        audio=audio.model,
        visual=visual.model,
    )


def _questions(
    events: Events, scored: Events | None
) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.intp]]]:
    """Give each asking row's number, its query's segments, and the starts a window can have."""
    present = np.ones_like(events) if scored is None else scored
    for row, (of_row, there) in enumerate(zip(events & present, present, strict=True)):
        query = np.flatnonzero(of_row)
        if 0 < len(query) < there.sum():
            inside = np.lib.stride_tricks.sliding_window_view(there, len(query)).all(axis=1)
            starts = np.flatnonzero(inside)
            if len(starts):
                yield row, query, starts


def _mean(values: list[bool] | list[float]) -> float | None:
    return float(np.mean(values)) if values else None
