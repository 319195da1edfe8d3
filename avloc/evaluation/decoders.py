"""How the class of each segment is read off a model's scores.

``segment`` takes the likeliest class of each segment, as in the paper. ``video`` gives a row one
event class, that of the greatest mean probability, wherever background has at most 0.5. It uses
that AVE annotates one event for each row, so the numbers of the two are not comparable.
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
    """Return (R, T) class indices by (R, T, C) probabilities, meaningless where not ``scored``."""
    check_decoder(decoder)
    if decoder == "segment":
        return np.asarray(scores.argmax(axis=-1), dtype=np.int64)
    totals = np.where(scored[..., None], scores, 0).sum(axis=1, dtype=np.float64)
    totals[:, background] = -1  # lower than any event class
    event_class = totals.argmax(axis=-1)[:, None]
    is_event = scores[..., background] <= 0.5
    return np.asarray(np.where(is_event, event_class, background), dtype=np.int64)
