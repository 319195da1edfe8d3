"""Decoders: how a class a segment is read off a model's scores.

``segment``
    The class of the greatest probability, each segment for itself. The paper's, and that of
    every table unless it says otherwise.
``video``
    One event class a row (a video's window), the one of the greatest mean probability over
    its scored segments, wherever something happens: where background has at most 0.5.
    Several later papers do this.

The two are not comparable: ``video`` uses that AVE annotates one event a row, which
``segment`` does not know. So a table names its decoder.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avloc.errors import UnknownNameError

DECODERS = ("segment", "video")
IN_WORDS = {
    "segment": "argmax per segment",
    "video": "one class per video times per-second relevance",
}


def check_decoder(how: str) -> None:
    """Refuse what is no decoder.

    Raises:
        UnknownNameError: it is none of `DECODERS`.
    """
    if how not in DECODERS:
        raise UnknownNameError("decoder", how, DECODERS)


def decode(
    scores: NDArray[np.floating],
    scored: NDArray[np.bool_],
    background: int,
    how: str = "segment",
) -> NDArray[np.int64]:
    """Read a class a segment off the scores.

    Args:
        scores: (R, T, C) probabilities.
        scored: (R, T), the segments that count; ``video`` looks at no others.
        background: the class that is no event.
        how: one of `DECODERS`.

    Returns:
        (R, T) class indices; where ``scored`` is false they mean nothing.

    Raises:
        UnknownNameError: there is no such decoder.
    """
    check_decoder(how)
    if how == "segment":
        return np.asarray(scores.argmax(axis=-1), dtype=np.int64)
    totals = np.where(scored[..., None], scores, 0).sum(axis=1, dtype=np.float64)
    totals[:, background] = -1  # beneath any event class
    event_class = totals.argmax(axis=-1)[:, None]
    is_event = scores[..., background] <= 0.5
    return np.asarray(np.where(is_event, event_class, background), dtype=np.int64)
