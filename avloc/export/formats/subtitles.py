"""A timeline as subtitles: SubRip and WebVTT, one cue an event."""

from __future__ import annotations

import html

from avloc.export.lines import clock, in_order, label_line, milliseconds
from avloc.export.sense_letters import WORDS
from avloc.timeline import Event, Timeline


def srt_text(timeline: Timeline) -> str:
    """Return SubRip: number, times with a comma, label, score and sense, an empty line."""
    events = enumerate(in_order(timeline), start=1)
    return "".join(f"{n}\n{_times(event, ',')}\n{_srt_line(event)}\n\n" for n, event in events)


def vtt_text(timeline: Timeline) -> str:
    """Return WebVTT; what would be markup in a label is escaped."""
    cues = (
        f"\n{_times(event, '.')}\n{html.escape(_line(event), quote=False)}\n"
        for event in in_order(timeline)
    )
    return "WEBVTT\n" + "".join(cues)


def _times(event: Event, mark: str) -> str:
    start, end = milliseconds(event)
    return f"{clock(start, mark)} --> {clock(end, mark)}"


def _line(event: Event) -> str:
    """Return the label and the score, then the sense where it is known."""
    sense = "" if event.sense == "unknown" else f" {WORDS[event.sense]}"
    return f"{label_line(event.label)} ({event.score:.2f}){sense}"


def _srt_line(event: Event) -> str:
    # SubRip knows no escapes; some players look for times by the arrow alone.
    return _line(event).replace("-->", "->")
