"""A video's events and the scores behind them: what every stage works on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from avloc.errors import DependencyError, UsageError
from avloc.labels import LabelSet

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float32]
Sense = Literal["both", "heard", "seen", "unknown"]
SENSES: tuple[str, ...] = get_args(Sense)
CLIP_SECONDS = 3.0
"""A label's score for the whole video is its mean over its best seconds, as many as these."""


@dataclass(frozen=True)
class Grid:
    """Segments of equal length, the first beginning at 0 s.

    Attributes:
        n_segments: T, at least 1.
        segment_seconds: a segment's exact length.
    """

    n_segments: int
    segment_seconds: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        if self.n_segments < 1 or self.segment_seconds <= 0:
            asked = f"{self.n_segments} x {self.segment_seconds} s"
            raise UsageError(f"a grid needs a segment and a length, got {asked}")

    @classmethod
    def of_duration(
        cls, duration: Fraction | float, segment_seconds: Fraction = Fraction(1)
    ) -> Grid:
        """Return the grid of a video: ``T = max(1, floor(d / segment + 1/2))``."""
        n_whole = math.floor(Fraction(duration) / segment_seconds + Fraction(1, 2))
        return cls(max(1, n_whole), segment_seconds)

    def segment_times(self) -> NDArray[np.float64]:
        """Return (T, 2): each segment's start and end in seconds."""
        edges = [float(k * self.segment_seconds) for k in range(self.n_segments + 1)]
        return np.stack([edges[:-1], edges[1:]], axis=1)

    def covers(self, start: float, end: float) -> NDArray[np.bool_]:
        """Return (T,): segments whose middle lies in ``[start, end)`` seconds."""
        middle = self.segment_times().mean(axis=1)
        return np.asarray((middle >= start) & (middle < end))


@dataclass(frozen=True)
class Event:
    """One event: a label from ``start`` to ``end`` seconds, with its score in [0, 1].

    ``sense`` says which sense knows it: ``both``, ``heard``, ``seen``, or ``unknown`` where the
    model cannot tell. ``heard`` and ``seen`` are what the sound alone and the picture alone say of
    the label, in [0, 1]; None where the model cannot tell.
    """

    start: float
    end: float
    label: str
    score: float
    sense: Sense = "unknown"
    heard: float | None = None
    seen: float | None = None


@dataclass(frozen=True)
class ClipScore:
    """A label's score for the whole video, in [0, 1], whether or not it became an event.

    ``heard`` and ``seen`` are what the sound alone and the picture alone say; None where the model
    cannot tell.
    """

    label: str
    score: float
    heard: float | None = None
    seen: float | None = None


@dataclass(frozen=True)
class Timeline:
    """A video's events with the scores behind them.

    Attributes:
        video_id: names the video.
        labels: the C event labels; background is not one of them.
        grid: the T segments.
        scores: (T, C) the probability of each label. Of exclusive labels the rest of a segment,
            1 minus their sum, is background's.
        events: in order of start.
        heard, seen: (T, C) what the sound alone and the picture alone say of each label; None
            where the model cannot tell. NaN for a label of which the sense knows nothing.
        rival: the strongest of the things that a model without training was not asked for; None
            if it has none.
        attention: (T, H, W) weights over the picture, each segment summing to 1; None when
            the model has no spatial attention.
        gate_visual: (T,) the normalised sentinel gate of the visual stream; None without one.
        gate_audio: (T,) the same for the audio stream.
        frame_size: the shown picture's (width, height) in pixels, None without a picture.
        duration: the video's seconds.
        source: the video's path.
        model: the model's name.
        fingerprint: of the features that the model was given.
        flags: what a reader should know (``no_audio``, ``rotated``, ...).
    """

    video_id: str
    labels: LabelSet
    grid: Grid
    scores: FloatArray
    events: tuple[Event, ...]
    heard: FloatArray | None = None
    seen: FloatArray | None = None
    rival: ClipScore | None = None
    attention: FloatArray | None = None
    gate_visual: FloatArray | None = None
    gate_audio: FloatArray | None = None
    frame_size: tuple[int, int] | None = None
    duration: float = 0.0
    source: str = ""
    model: str = ""
    fingerprint: str = ""
    flags: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return True  # a timeline without events is an answer too

    def __repr__(self) -> str:
        whole = float(self.grid.n_segments * self.grid.segment_seconds)
        n = f"{len(self)} event{'' if len(self) == 1 else 's'}"
        return f"<Timeline of {self.video_id!r}: {n} in {self.duration or whole:g} s>"

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    def clip_scores(self) -> tuple[ClipScore, ...]:
        """Return each label's score for the whole video, the highest first."""
        scores = best_seconds(self.scores, self.grid)
        senses = [self._clip_values(said) for said in (self.heard, self.seen)]
        columns = list(zip(self.labels.names, scores.tolist(), *senses, strict=True))
        return tuple(ClipScore(*columns[k]) for k in np.argsort(-scores, kind="stable"))

    def _clip_values(self, scores: FloatArray | None) -> list[Any]:
        """Return a value a label; None where nothing is known."""
        if scores is None:
            return [None] * self.labels.n_labels
        values = best_seconds(scores, self.grid)
        return [value if math.isfinite(value) else None for value in values.tolist()]

    def background(self) -> FloatArray | None:
        """Return (T,): the probability of no event; None for labels that are independent."""
        if not self.labels.is_exclusive:
            return None
        return np.asarray(1 - self.scores.sum(axis=1), np.float32)

    def middles(self) -> NDArray[np.float64]:
        """Return (T,): the middle of each segment, of the last one as far as the video goes."""
        times = self.grid.segment_times()
        if self.duration > times[-1, 0]:
            times[-1, 1] = min(times[-1, 1], self.duration)
        return np.asarray(times.mean(axis=1))

    def _repr_html_(self) -> str:
        from avloc.export.notebook import timeline_html  # costs jinja2, which only notebooks need

        return timeline_html(self)

    def to_pandas(self) -> pd.DataFrame:
        """Return the events as a table.

        Columns: ``video_id``, ``start``, ``end``, ``label``, ``score``, ``sense``, ``heard``,
        ``seen``; the last two are NaN where the model cannot tell.

        Raises:
            DependencyError: pandas, which avloc does not bring along, is not installed.
        """
        rows = [(e.start, e.end, e.score, e.heard, e.seen) for e in self]
        numbers = np.array(rows, float).reshape(-1, 5)
        columns = {
            "video_id": [self.video_id] * len(self),
            "start": numbers[:, 0],
            "end": numbers[:, 1],
            "label": [e.label for e in self],
            "score": numbers[:, 2],
            "sense": [e.sense for e in self],
            "heard": numbers[:, 3],
            "seen": numbers[:, 4],
        }
        return _pandas().DataFrame(columns)

    def segments_to_pandas(self) -> pd.DataFrame:
        """Return the scores as a table, one row per segment.

        Columns: ``start`` and ``end`` in seconds; one for each event label; background's, if
        labels are exclusive; ``gate_audio`` and ``gate_visual`` from a model with sentinel gates;
        ``heard LABEL`` and ``seen LABEL`` from a model that can tell. Needs pandas.
        """
        given: list[tuple[str, NDArray[Any] | None]] = [
            (self.labels.background, self.background()),
            ("gate_audio", self.gate_audio),
            ("gate_visual", self.gate_visual),
        ]
        for word, said in (("heard", self.heard), ("seen", self.seen)):
            if said is not None:
                given += [(f"{word} {n}", said[:, k]) for k, n in enumerate(self.labels.names)]
        known = [(name, values) for name, values in given if values is not None]
        arrays: list[NDArray[Any]] = [
            self.grid.segment_times(),
            self.scores,
            *(values for _, values in known),
        ]
        columns = ["start", "end", *self.labels.names, *(name for name, _ in known)]
        return _pandas().DataFrame(np.column_stack(arrays), columns=columns)


def best_seconds(scores: FloatArray, grid: Grid) -> FloatArray:
    """Return (C,): the mean of each column of (T, C) over its best `CLIP_SECONDS`."""
    n_best = max(1, round(CLIP_SECONDS / float(grid.segment_seconds)))
    return np.asarray(np.sort(scores, axis=0)[-n_best:].mean(axis=0), np.float32)


def _pandas() -> Any:
    try:
        import pandas
    except ImportError:
        raise DependencyError(
            "a table needs pandas, which is not installed", "Install it: pip install pandas."
        ) from None
    return pandas
