"""How often the word for the sense of an event is right: ``both``, ``heard`` or ``seen``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from avloc.artifacts import Predictions
from avloc.evaluation.counts import Marks
from avloc.timeline import Event, Grid

WORDS = ("both", "heard", "seen")


@dataclass(frozen=True)
class SenseWords:
    """Found events whose true sense is one word, and how many of them are called what."""

    n_events: int
    both: int
    heard: int
    seen: int


def sense_words(
    predictions: Predictions, events: Sequence[Sequence[Event]], audible: Marks, visible: Marks
) -> dict[str, SenseWords]:
    """Count the words of found events by their true sense, against (R, T, C) truth.

    An event is found if more than half of its segments are of a true event of its label. A sense
    has it if it has the label in half of them; an event that neither has so long is ``both``.
    Events of an unknown sense are left out: a model that cannot tell has no counts.
    """
    counted: Counter[tuple[str, str]] = Counter()
    starts = Grid(predictions.scores.shape[1], predictions.segment_seconds).segment_times()[:, 0]
    for row, of_row in enumerate(events):
        for event in (event for event in of_row if event.sense != "unknown"):
            inside = (starts >= event.start) & (starts < event.end) & predictions.scored[row]
            label = predictions.labels.index(event.label)
            true, heard, seen = (
                float(array[row, inside, label].mean()) if inside.any() else 0.0
                for array in (predictions.truth, audible, visible)
            )
            if true > 0.5:
                is_heard, is_seen = heard >= 0.5, seen >= 0.5
                word = "both" if is_heard == is_seen else "heard" if is_heard else "seen"
                counted[word, event.sense] += 1
    table = {word: [counted[word, said] for said in WORDS] for word in WORDS}
    return {word: SenseWords(sum(called), *called) for word, called in table.items() if any(called)}


def share_right(words: Mapping[str, SenseWords]) -> float:
    """Return the share of found events with the right word."""
    right = sum(int(getattr(of, word)) for word, of in words.items())
    return right / sum(of.n_events for of in words.values())
