"""F1 of audio-visual video parsing: what is heard, what is seen, and what is both.

Tian et al., Unified multisensory perception, ECCV 2020 (the LLP data set).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from avloc.evaluation.counts import Counts, Marks, PerVideo, count_events, count_segments

LEVELS: dict[str, Callable[[Marks, Marks], Counts]] = {
    "segment": count_segments,
    "event": count_events,
}
"""What is counted: segments, or events that match at IoU 0.5."""


@dataclass(frozen=True)
class ParsedSenses:
    """What is heard and what is seen: (R, T, C) bool each, False where not scored."""

    heard: Marks
    seen: Marks

    @property
    def both(self) -> Marks:
        """Heard and seen in the same segment."""
        return self.heard & self.seen


@dataclass(frozen=True)
class ParsingF1:
    """The five numbers of one level, as in the field's tables; shares from 0 to 1."""

    audio: float  # A: of what is heard
    visual: float  # V: of what is seen
    audio_visual: float  # AV: of what is heard and seen at once
    type: float  # Type@AV: the mean of the three
    event: float  # Event@AV: of the counts of A and V added up
    n_videos: int


def parsing_f1(
    answer: ParsedSenses, truth: ParsedSenses, level: str = "segment"
) -> ParsingF1 | None:
    """Return the means over videos; ``level`` is one of `LEVELS`. None without a video."""
    if not len(truth.heard):
        return None
    means = {name: float(f1.mean()) for name, f1 in video_f1(answer, truth, level).items()}
    return ParsingF1(**means, n_videos=len(truth.heard))


def video_f1(
    answer: ParsedSenses, truth: ParsedSenses, level: str = "segment"
) -> dict[str, PerVideo]:
    """Return (R,) of each number of `ParsingF1`, by name; their means are the metrics."""
    count = LEVELS[level]
    audio, visual = count(answer.heard, truth.heard), count(answer.seen, truth.seen)
    f1 = {
        "audio": audio.f1(),
        "visual": visual.f1(),
        "audio_visual": count(answer.both, truth.both).f1(),
    }
    f1["type"] = np.mean(list(f1.values()), axis=0)
    return f1 | {"event": (audio + visual).f1()}
