"""A clip of a report as the template shows it: places in percent, colours, words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avloc.colours import as_hex, ink_on, label_colour
from avloc.export.axis import Axis
from avloc.export.lines import one_line
from avloc.export.links import data_uri, relative_link
from avloc.export.playback import NO_EVENT, event_at, total_seconds
from avloc.export.report.agreement import Agreement, agreement
from avloc.export.report.report_parts import ReportClip
from avloc.export.report.score_plot import GateArea, ScoreLine, gate_areas, hundredths, score_lines
from avloc.labels import LabelSet
from avloc.media import AUDIO_SUFFIXES, FLAGS
from avloc.timeline import Event, FloatArray

_MOST_ROWS = 7200  # two hours in seconds; a longer table is one for a program to read
_MOST_TOLD = 4
_MOST_AT_ONCE = 30  # segments of a time line


@dataclass(frozen=True)
class Block:
    """An event on a time line: its place in percent and its look."""

    event: Event
    left: float
    width: float
    colour: str
    ink: str


@dataclass(frozen=True)
class SegmentView:
    """One segment: its times, what was found in it and the gates."""

    start: float
    end: float
    label: str
    score: float
    hear: float | None
    see: float | None


@dataclass(frozen=True)
class Look:
    """A picture at its time; ``share`` is the percent of the time line until the next."""

    start: float
    picture: str
    label: str
    share: float


@dataclass(frozen=True, eq=False)
class ClipView:
    """All the template says about one clip.

    Attributes:
        clip: what was given.
        name: the video's, as one line.
        axis: the time line that every row of the page shares.
        tracks: ("true" or "found", its events).
        segments: one a segment; empty where they are too many for a page.
        segment_scores: the found label's score by segment, in hundredths.
        looks: the pictures there are, and
        lead: the percent of the time line before the first.
        lines: scores over time.
        gates: gates over time.
        player: ``video`` or ``audio``, empty for none, and
        media: the address of what it plays.
        files: (name, address) of what is linked.
        agreement: with the truth; None where nobody knows it.
    """

    clip: ReportClip
    name: str
    axis: Axis
    tracks: tuple[tuple[str, tuple[Block, ...]], ...]
    segments: tuple[SegmentView, ...]
    segment_scores: str
    looks: tuple[Look, ...]
    lead: float
    lines: tuple[ScoreLine, ...]
    gates: tuple[GateArea, ...]
    player: str
    media: str
    files: tuple[tuple[str, str], ...]
    agreement: Agreement | None

    @property
    def found(self) -> tuple[Block, ...]:
        """The events that were found."""
        return self.tracks[-1][1]

    @property
    def can_zoom(self) -> bool:
        """Whether the time line is too long to be read at once."""
        return self.clip.timeline.grid.n_segments > _MOST_AT_ONCE

    @property
    def best(self) -> float | None:
        """The highest score of an event; None where none was found."""
        return max((event.score for event in self.clip.timeline), default=None)

    @property
    def flags(self) -> list[tuple[str, str]]:
        """Each flag and the sentence that explains it."""
        return [(flag, FLAGS.get(flag, "")) for flag in self.clip.timeline.flags]

    def summary(self, blocks: Sequence[Block]) -> list[tuple[str, str]]:
        """(label, when) of a few events; (label, how often) of many."""
        events = [block.event for block in blocks]
        if len(events) <= _MOST_TOLD:
            words, unit = self.axis.words, self.axis.unit
            return [(e.label, f"{words(e.start)}–{words(e.end)}{unit}") for e in events]
        often = Counter(event.label for event in events).most_common()
        told = [(label, f"× {n}") for label, n in often[:_MOST_TOLD]]
        n_more = len(often) - len(told)
        return [*told, (f"and {n_more} more", "")] if n_more else told


def view_clip(clip: ReportClip, page: Path, name: str | None = None) -> ClipView:
    """Return what the template shows of a clip on a page, by its video's id or a ``name``."""
    timeline = clip.timeline
    axis = Axis(total_seconds(timeline))
    tracks = [("found", timeline.events)]
    if clip.truth is not None:
        tracks.insert(0, ("true", tuple(clip.truth)))
    segments = _segments(clip)
    looks, lead = _looks(clip, segments, axis)
    return ClipView(
        clip,
        one_line(timeline.video_id if name is None else name),
        axis,
        tuple((word, _blocks(events, axis, timeline.labels)) for word, events in tracks),
        segments if len(segments) <= _MOST_ROWS else (),
        hundredths(segment.score for segment in segments),
        looks,
        lead,
        score_lines(timeline, axis, clip.truth),
        gate_areas(timeline, axis),
        _player(clip),
        "" if clip.video is None else relative_link(clip.video, page),
        tuple((Path(file).name, relative_link(file, page)) for file in clip.files),
        None if clip.truth is None else agreement(timeline.events, clip.truth, timeline.grid),
    )


def _player(clip: ReportClip) -> str:
    if clip.video is None:
        return ""
    is_sound = Path(clip.video).suffix.lower() in AUDIO_SUFFIXES
    return "audio" if is_sound or clip.timeline.frame_size is None else "video"


def _blocks(events: Sequence[Event], axis: Axis, labels: LabelSet) -> tuple[Block, ...]:
    blocks = []
    for event in events:
        colour = label_colour(event.label, labels)
        place = axis.span(event.start, event.end)
        blocks.append(Block(event, *place, as_hex(colour), as_hex(ink_on(colour))))
    return tuple(blocks)


def _segments(clip: ReportClip) -> tuple[SegmentView, ...]:
    timeline, views = clip.timeline, []
    for t, (start, end) in enumerate(timeline.grid.segment_times().tolist()):
        event = event_at(timeline.events, (start + end) / 2)
        label = timeline.labels.background if event is None else event.label
        known = label in timeline.labels.all_names
        score = float(timeline.scores[t, timeline.labels.index(label)]) if known else np.nan
        gates = (_gate(timeline.gate_audio, t), _gate(timeline.gate_visual, t))
        word = NO_EVENT if event is None else one_line(label)
        views.append(SegmentView(start, end, word, score, *gates))
    return tuple(views)


def _gate(gate: FloatArray | None, t: int) -> float | None:
    return None if gate is None else float(np.clip(np.nan_to_num(gate[t]), 0, 1))


def _looks(
    clip: ReportClip, segments: Sequence[SegmentView], axis: Axis
) -> tuple[tuple[Look, ...], float]:
    """Return the pictures there are, and the percent of the time line before the first."""
    pairs = zip(segments, clip.thumbnails, strict=False)
    there = [(segment, picture) for segment, picture in pairs if picture is not None]
    places = [axis.percent(segment.start) for segment, _ in there] + [100.0]
    looks = (
        Look(segment.start, data_uri(picture), segment.label, places[n + 1] - places[n])
        for n, (segment, picture) in enumerate(there)
    )
    return tuple(looks), places[0] if there else 0.0
