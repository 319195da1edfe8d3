"""A clip of a report as the template shows it: places in percent, colours, words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avloc.colours import as_hex, ink_on, label_colour
from avloc.export.lines import one_line
from avloc.export.links import data_uri, relative_link
from avloc.export.panel import NO_EVENT
from avloc.export.playback import event_at, total_seconds
from avloc.export.report_parts import ReportClip
from avloc.labels import LabelSet
from avloc.timeline import Event, FloatArray


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
    """One segment: its times, its picture, what was found in it and the gates."""

    start: float
    end: float
    picture: str
    label: str
    score: float
    hear: float | None
    see: float | None


@dataclass(frozen=True)
class ClipView:
    """All the template says about one clip."""

    clip: ReportClip
    name: str
    seconds: float
    tracks: tuple[tuple[str, tuple[Block, ...]], ...]
    segments: tuple[SegmentView, ...]
    has_pictures: bool
    has_gates: bool
    video: str
    files: tuple[tuple[str, str], ...]


def view_clip(clip: ReportClip, page: Path) -> ClipView:
    """Return what the template shows of a clip on a page."""
    timeline = clip.timeline
    tracks = [("found", timeline.events)]
    if clip.truth is not None:
        tracks.insert(0, ("true", tuple(clip.truth)))
    whole = float(timeline.grid.n_segments * timeline.grid.segment_seconds)
    return ClipView(
        clip,
        one_line(timeline.video_id),
        total_seconds(timeline),
        tuple((word, _blocks(events, whole, timeline.labels)) for word, events in tracks),
        tuple(_segment(clip, t) for t in range(timeline.grid.n_segments)),
        any(picture is not None for picture in clip.thumbnails),
        timeline.gate_audio is not None or timeline.gate_visual is not None,
        "" if clip.video is None else relative_link(clip.video, page),
        tuple((Path(file).name, relative_link(file, page)) for file in clip.files),
    )


def _blocks(events: Sequence[Event], whole: float, labels: LabelSet) -> tuple[Block, ...]:
    """Place events along ``whole`` seconds; what reaches past the end is cut there."""
    blocks = []
    for event in events:
        start, end = (100 * min(max(s / whole, 0.0), 1.0) for s in (event.start, event.end))
        colour = label_colour(event.label, labels)
        width = max(end - start, 0.3) if event.start < whole else 0.0
        blocks.append(Block(event, start, width, as_hex(colour), as_hex(ink_on(colour))))
    return tuple(blocks)


def _segment(clip: ReportClip, t: int) -> SegmentView:
    timeline = clip.timeline
    start, end = (float(s) for s in timeline.grid.segment_times()[t])
    event = event_at(timeline.events, (start + end) / 2)
    label = timeline.labels.background if event is None else event.label
    known = label in timeline.labels.all_names
    score = timeline.scores[t, timeline.labels.index(label)] if known else np.nan
    picture = clip.thumbnails[t] if clip.thumbnails else None
    return SegmentView(
        start,
        end,
        "" if picture is None else data_uri(picture),
        NO_EVENT if event is None else one_line(label),
        float(score),
        _gate(timeline.gate_audio, t),
        _gate(timeline.gate_visual, t),
    )


def _gate(gate: FloatArray | None, t: int) -> float | None:
    return None if gate is None else float(np.clip(np.nan_to_num(gate[t]), 0, 1))
