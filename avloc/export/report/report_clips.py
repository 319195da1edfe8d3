"""A clip of a report as the template shows it: positions in percent, colours, words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from avloc.export.axis import Axis
from avloc.export.confidence import confidence
from avloc.export.lines import one_line
from avloc.export.links import data_uri, relative_link
from avloc.export.playback import NO_EVENT, events_of_segments, no_event_scores, total_seconds
from avloc.export.report.agreement import Agreement, agreement
from avloc.export.report.blocks import Block, Track, track_of
from avloc.export.report.score_plot import (
    ScoreLine,
    SenseArea,
    hundredths,
    score_lines,
    sense_areas,
)
from avloc.export.sense_letters import are_unknown, reason_unknown, sense_shares, shown_labels
from avloc.media import AUDIO_SUFFIXES, FLAGS
from avloc.timeline import Event, Timeline

_MOST_ROWS = 7200  # two hours in seconds; a longer table is one for a program to read
_MOST_LISTED = 4
_MOST_AT_ONCE = 30  # segments of a time line


@dataclass(frozen=True)
class ReportClip:
    """One video of a report.

    ``video`` is what to play, best the heat-map video; it is linked, not contained. A sound
    file, or a timeline without a picture, gets an audio player.
    """

    timeline: Timeline
    truth: Sequence[Event] | None = None  # None: unknown
    thumbnails: Mapping[int, bytes] = field(default_factory=dict)  # JPEGs, some 10 KB each
    video: Path | None = None
    files: Sequence[Path] = ()  # to link
    note: str = ""  # to the reader


@dataclass(frozen=True)
class SegmentView:
    """One segment: its times, and the strongest event found in it with its label's score."""

    start: float
    end: float
    label: str
    score: float
    senses: tuple[float, ...]  # what each sense of `ClipView.senses` says of the label


@dataclass(frozen=True)
class Look:
    """A picture at its time; ``share`` is the percent of the time line until the next."""

    start: float
    picture: str
    label: str
    share: float


@dataclass(frozen=True, eq=False)
class ClipView:
    """What the template shows of a clip: on the page at ``page``, under ``name``."""

    clip: ReportClip
    page: Path
    name: str

    @cached_property
    def axis(self) -> Axis:
        """The time line of all its rows."""
        return Axis(total_seconds(self.clip.timeline))

    @cached_property
    def tracks(self) -> list[Track]:
        """``true``, where it is known, and ``found``, with their events."""
        timeline, truth = self.clip.timeline, self.clip.truth
        events = {} if truth is None else {"true": truth}
        events["found"] = timeline.events
        return [track_of(word, es, self.axis, timeline.labels) for word, es in events.items()]

    @cached_property
    def _segments(self) -> list[SegmentView]:
        timeline = self.clip.timeline
        events, classes = events_of_segments(timeline), shown_labels(timeline)
        said = [share.of_labels(classes).tolist() for share in sense_shares(timeline)]
        nothing, views = no_event_scores(timeline), []
        for t, (start, end) in enumerate(timeline.grid.segment_times().tolist()):
            word, score = NO_EVENT, float(nothing[t])
            if events[t] >= 0:
                label = timeline.events[events[t]].label
                is_known = label in timeline.labels.names
                word = one_line(label)
                score = float(timeline.scores[t, classes[t]]) if is_known else np.nan
            views.append(SegmentView(start, end, word, score, tuple(v[t] for v in said)))
        return views

    @property
    def segments(self) -> list[SegmentView]:
        """The rows of the table of segments; empty where they are too many for a page."""
        return self._segments if len(self._segments) <= _MOST_ROWS else []

    @property
    def segment_scores(self) -> str:
        """The found label's score by segment, in hundredths."""
        return hundredths(segment.score for segment in self._segments)

    @cached_property
    def looks(self) -> list[Look]:
        """The pictures."""
        shown = [(self._segments[n], jpeg) for n, jpeg in sorted(self.clip.thumbnails.items())]
        lefts = [self.axis.percent(segment.start) for segment, _ in shown] + [100.0]
        return [
            Look(segment.start, data_uri(jpeg), segment.label, lefts[n + 1] - lefts[n])
            for n, (segment, jpeg) in enumerate(shown)
        ]

    @property
    def lead(self) -> float:
        """The percent of the time line before the first picture."""
        return self.axis.percent(self.looks[0].start) if self.looks else 0.0

    @cached_property
    def lines(self) -> tuple[ScoreLine, ...]:
        """Scores over time."""
        return score_lines(self.clip.timeline, self.axis, self.clip.truth)

    @cached_property
    def senses(self) -> tuple[SenseArea, ...]:
        """What each sense alone says over time."""
        return sense_areas(self.clip.timeline, self.axis)

    @property
    def sense_note(self) -> str:
        """Why the senses of the events are not known; empty if one is, or a flag says why."""
        timeline = self.clip.timeline
        if not are_unknown(timeline.events) or "senses_unknown" in timeline.flags:
            return ""
        return f"Which sense knows an event is not known: {reason_unknown(timeline)}."

    @property
    def player(self) -> str:
        """``video`` or ``audio``; empty for no player."""
        if self.clip.video is None:
            return ""
        is_sound = Path(self.clip.video).suffix.lower() in AUDIO_SUFFIXES
        return "audio" if is_sound or self.clip.timeline.frame_size is None else "video"

    @property
    def media(self) -> str:
        """The address of what the player plays."""
        return "" if self.clip.video is None else relative_link(self.clip.video, self.page)

    @property
    def files(self) -> list[tuple[str, str]]:
        """Names and addresses of linked files."""
        return [(Path(file).name, relative_link(file, self.page)) for file in self.clip.files]

    @cached_property
    def agreement(self) -> Agreement | None:
        """The agreement with the truth; None where it is unknown."""
        timeline, truth = self.clip.timeline, self.clip.truth
        return None if truth is None else agreement(timeline.events, truth, timeline.grid)

    @property
    def can_zoom(self) -> bool:
        """Whether the time line is too long to be read at once."""
        return len(self._segments) > _MOST_AT_ONCE

    @property
    def best(self) -> float | None:
        """The highest score of an event; None without events."""
        return max((event.score for event in self.clip.timeline), default=None)

    @property
    def best_word(self) -> str:
        """The highest score in a word."""
        return "" if self.best is None else confidence(self.best)

    @property
    def has_senses(self) -> bool:
        """Whether the sense of any event is known."""
        return any(track.has_senses for track in self.tracks)

    @property
    def flags(self) -> list[tuple[str, str]]:
        """Each flag and the sentence that explains it."""
        return [(flag, FLAGS.get(flag, "")) for flag in self.clip.timeline.flags]

    def summary(self, blocks: Sequence[Block]) -> list[tuple[str, str]]:
        """Return (label, when) of a few events, or (label, how often) of many."""
        events = [block.event for block in blocks]
        if len(events) <= _MOST_LISTED:
            words, unit = self.axis.words, self.axis.unit
            return [(e.label, f"{words(e.start)}–{words(e.end)}{unit}") for e in events]
        counts = Counter(event.label for event in events).most_common()
        listed = [(label, f"× {n}") for label, n in counts[:_MOST_LISTED]]
        n_more = len(counts) - len(listed)
        return [*listed, (f"and {n_more} more", "")] if n_more else listed
