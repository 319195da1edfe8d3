"""How sure a model is of an event: in words, and as the strength of a colour."""

from __future__ import annotations

import math

LIMITS = (("sure", 0.8), ("likely", 0.5), ("unsure", 0.0))
"""Words for a score, and the lowest score of each."""
FAINTEST = 0.2  # what is less sure is still seen


def confidence(score: float) -> str:
    """Return the word for a score in [0, 1]: ``sure``, ``likely`` or ``unsure``."""
    return next((word for word, least in LIMITS if score >= least), LIMITS[-1][0])


def opacity(score: float) -> float:
    """Return how opaque an event is drawn: its score, but at least 0.2 and at most 1."""
    return min(max(score, FAINTEST), 1.0) if math.isfinite(score) else FAINTEST
