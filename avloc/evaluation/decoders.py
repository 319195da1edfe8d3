"""Decoders: how the class of each segment is read off a model's scores.

``segment``
    The likeliest class of each segment by itself. It is the paper's, and that of every table
    that names no other.
``video``
    One event class for each row: the one of the greatest mean probability over its scored
    segments. Every segment where background has at most 0.5 gets it. Several later papers do this.

Their numbers are not comparable: ``video`` uses that AVE annotates one event for each row, which
``segment`` does not know. A table therefore names its decoder.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avloc.errors import UnknownNameError

IN_WORDS = {
    "segment": "argmax per segment",
    "video": "one class per video times per-second relevance",
}
DECODERS = tuple(IN_WORDS)


def check_decoder(name: str) -> None:
    """Raise `UnknownNameError` for a name that is not in `DECODERS`."""
    if name not in DECODERS:
        raise UnknownNameError("decoder", name, DECODERS)


def decode(
    scores: NDArray[np.floating], scored: NDArray[np.bool_], background: int, decoder: str
) -> NDArray[np.int64]:
    """Read the class of each segment off the scores.

    Args:
        scores: (R, T, C) probabilities.
        scored: (R, T), the segments that count; ``video`` ignores the others.
        background: the class that is not an event.
        decoder: one of `DECODERS`.

    Returns:
        (R, T) class indices; meaningless where ``scored`` is false.
    """
    check_decoder(decoder)
    if decoder == "segment":
        return np.asarray(scores.argmax(axis=-1), dtype=np.int64)
    totals = np.where(scored[..., None], scores, 0).sum(axis=1, dtype=np.float64)
    totals[:, background] = -1  # lower than any event class
    event_class = totals.argmax(axis=-1)[:, None]
    is_event = scores[..., background] <= 0.5
    return np.asarray(np.where(is_event, event_class, background), dtype=np.int64)
