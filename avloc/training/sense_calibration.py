"""From which ``heard`` and ``seen`` a sense knows an event, fitted on validation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from avloc.datasets.feed import Feed
from avloc.inference import infer
from avloc.models import Model

ENOUGH = 20
"""True segments on validation from which a number is fitted to them alone."""
_SHARE_UNKNOWN = 0.1

OfASense = tuple[NDArray[np.float32], NDArray[np.bool_]]
"""(N,) what the sense says of labels that are events, and whether the sense has the event."""


def sense_segments(model: Model, examples: Feed, batch_size: int) -> list[OfASense]:
    """Return what sound and picture alone say in all segments of true events; or nothing.

    A segment in which the video lacks the sense is left out. An event counts as both heard and
    seen where the data do not say.
    """
    model.eval()
    parts: dict[str, list[OfASense]] = {"heard": [], "seen": []}
    for batch in examples.batches(examples.order(batch_size)):
        outputs = infer(model, batch.visual, batch.audio, batch.audio.shape[1], batch.real)
        if not outputs.keys() >= parts.keys():
            return []
        truth = batch.truth
        events = truth.targets & truth.scored[..., None]
        for name, has, is_valid in (
            ("heard", truth.heard, batch.audio_valid),
            ("seen", truth.seen, batch.visual_valid),
        ):
            chosen = events & is_valid[..., None]
            scores = outputs[name][chosen.cpu().numpy()]
            parts[name].append((scores, has[chosen].cpu().numpy()))
    joined = [tuple(map(np.concatenate, zip(*of, strict=True))) for of in parts.values()]
    return [(scores, has) for scores, has in joined]


def fit_sense_threshold(scores: NDArray[np.floating], has_event: NDArray[np.bool_]) -> float:
    """Return the number from which a sense knows an event, by N segments of true events.

    If the sense has the event in some segments and not in others (20 of each at least), it is the
    number with the most right answers to "does the sense have this event?".

    Otherwise nothing shows what a sense says of an event that it does not have. Then it is the
    number that the sense reaches in nine of ten segments of events that it has: a sense knows an
    event if it says no less of it than of nine true ones in ten.
    """
    n_with, n_without = int(has_event.sum()), int((~has_event).sum())
    if not n_with:
        return 1.0  # no more than the label's threshold is needed anyway
    if min(n_with, n_without) < ENOUGH:
        return float(np.quantile(scores[has_event], _SHARE_UNKNOWN))
    wrong, right, levels = roc_curve(has_event, scores, drop_intermediate=False)
    best = int((n_with * right - n_without * wrong).argmax())
    below = [*levels[1:], 0.0][best]  # the next lower score: the number is half way to it
    return min(1.0, float(levels[best] + below) / 2)
