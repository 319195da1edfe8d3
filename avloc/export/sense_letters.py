"""Which sense knows an event: letters, words and shares for people to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.colours import SENSE_COLOURS, Colour
from avloc.export.playback import events_of_segments
from avloc.timeline import Event, FloatArray, Timeline

LETTERS = {"heard": "H", "seen": "S", "both": "B", "unknown": "?"}
WORDS = {"heard": "heard", "seen": "seen", "both": "both", "unknown": "not known"}
KEY = "H heard, S seen, B both, ? not known"
_LACKING = {
    "no_audio": "the video has no sound",
    "no_sound": "its sound cannot be decoded",
    "no_video": "the video has no picture",
    "no_frame": "its picture cannot be decoded",
}
_UNTRAINED = "the model was not trained to answer from one sense alone (modality_dropout)"


@dataclass(frozen=True)
class SenseShare:
    """What one sense alone says.

    Attributes:
        sense: ``heard`` or ``seen``.
        scores: (T, C) the score of each label.
        colour: of its bars.
    """

    sense: str
    scores: FloatArray
    colour: Colour

    def of_labels(self, classes: NDArray[np.int64]) -> FloatArray:
        """Return (T,): the score of one label a segment, in [0, 1]; NaN where it is not known."""
        values = self.scores[np.arange(len(classes)), classes]
        return np.asarray(np.clip(values, 0, 1), dtype=np.float32)


def sense_shares(timeline: Timeline) -> list[SenseShare]:
    """Return what sound and picture alone say, as far as the model can tell."""
    given = (("heard", timeline.heard), ("seen", timeline.seen))
    return [
        SenseShare(sense, scores, SENSE_COLOURS[sense])
        for sense, scores in given
        if scores is not None and timeline.labels.n_labels
    ]


def shown_labels(timeline: Timeline) -> NDArray[np.int64]:
    """Return (T,): the index of the label of the strongest event in each segment.

    Where no event is, it is the label with the highest score.
    """
    names = timeline.labels.names
    likeliest = np.nan_to_num(timeline.scores).argmax(axis=1)
    indices = {name: n for n, name in enumerate(names)}
    of_events = np.array([*(indices.get(event.label, -1) for event in timeline), -1])
    of_segments = of_events[events_of_segments(timeline)]
    return np.where(of_segments < 0, likeliest, of_segments)


def known_senses(events: Iterable[Event]) -> list[str]:
    """Return the senses that occur in events, in the order of `LETTERS`."""
    occurring = {event.sense for event in events}
    return [sense for sense in LETTERS if sense in occurring]


def are_unknown(events: Sequence[Event]) -> bool:
    """Say whether there are events, and the sense of none is known."""
    return known_senses(events) == ["unknown"]


def reason_unknown(timeline: Timeline) -> str:
    """Return why the senses of a timeline's events are not known, as half a sentence."""
    lacking = [words for flag, words in _LACKING.items() if flag in timeline.flags]
    return lacking[0] if lacking else _UNTRAINED


def sense_numbers(event: Event) -> str:
    """Return ``heard 0.91, seen 0.12`` as far as it is known."""
    given = (("heard", event.heard), ("seen", event.seen))
    return ", ".join(f"{word} {value:.2f}" for word, value in given if value is not None)
