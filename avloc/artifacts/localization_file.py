"""A video's timeline as a file (schema ``avloc.localization/2``)."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path

from avloc.artifacts.arrays import REAL, Arrays
from avloc.artifacts.hdf5 import read_artifact
from avloc.artifacts.header import SEGMENT_SECONDS, Header, labels_to_plain
from avloc.artifacts.new_artifact import create
from avloc.artifacts.reading import Depth
from avloc.errors import ArtifactError
from avloc.labels import LabelSet
from avloc.timeline import Event, Grid, Timeline

_EVENT = {"start": float, "end": float, "label": str, "score": float}
_ARRAYS = ("scores", "attention", "gate_visual", "gate_audio")
_FIELDS = ("video_id", "source", "model", "fingerprint", "duration", "frame_size", "flags")


def write_localization(path: Path | str, timeline: Timeline, *, key: str = "") -> None:
    """Write a timeline atomically.

    Args:
        path: the file.
        timeline: what to write.
        key: stands for all that the answer follows from, for `localization_key`.

    Raises:
        OutputError: the place cannot be written.
        ArtifactError: a score is NaN or infinite, or no reader would take the file.
    """
    with create(path, "localization", parse_localization) as new:
        new.put({name: getattr(timeline, name) for name in _ARRAYS})
        new.header |= {name: getattr(timeline, name) for name in _FIELDS}
        new.header["labels"] = labels_to_plain(timeline.labels)
        new.header["segment_seconds"] = str(timeline.grid.segment_seconds)
        new.header["events"] = [
            {column: kind(getattr(event, column)) for column, kind in _EVENT.items()}
            for event in timeline
        ]
        new.header["key"] = key


def localization_key(path: Path | str) -> str:
    """Return the key that a timeline was written with; empty where there is none to read."""
    try:
        return read_artifact(path, "localization", _key, Depth.HEADERS)
    except ArtifactError:
        return ""


def read_localization(path: Path | str) -> Timeline:
    """Read a timeline.

    Raises:
        ArtifactError: it is missing, damaged, of another kind or too new.
    """
    return read_artifact(path, "localization", parse_localization)


def parse_localization(arrays: Arrays, header: Header) -> Timeline:
    """Make a timeline of a file's arrays and header; ValueError where they are damaged."""
    labels = header.labels()
    arrays.sizes["C"] = labels.n_classes
    scores = arrays.read("scores", "T C", REAL)
    return Timeline(
        video_id=header.text("video_id"),
        source=header.text("source"),
        model=header.text("model"),
        fingerprint=header.text("fingerprint"),
        duration=header.number("duration"),
        labels=labels,
        grid=Grid(len(scores), _segment_seconds(header)),
        scores=scores,
        events=_events(header, labels),
        attention=arrays.find("attention", "T H W", REAL),
        gate_visual=arrays.find("gate_visual", "T", REAL),
        gate_audio=arrays.find("gate_audio", "T", REAL),
        frame_size=header.frame_size(),
        flags=header.texts("flags"),
    )


def _key(_: Arrays, header: Header) -> str:
    return header.text("key") if header.has("key") else ""


def _segment_seconds(header: Header) -> Fraction:
    text = header.text("segment_seconds")
    # Fraction itself takes "1e999999999", and then fills the memory with that number
    if not re.fullmatch(r"[0-9]{1,18}(/[0-9]{1,18})?", text, re.ASCII) or text.endswith("/0"):
        raise ValueError(f"segment_seconds is {text!r:.60}, not a fraction")
    seconds, (least, most) = Fraction(text), SEGMENT_SECONDS
    if not least <= seconds <= most:
        raise ValueError(f"segment_seconds is {text}, not from {least:g} to {most:g}")
    return seconds


def _events(header: Header, labels: LabelSet) -> tuple[Event, ...]:
    events = tuple(Event(*line) for line in header.table("events", _EVENT))
    for event in events:
        if not 0 <= event.start < event.end < math.inf or not math.isfinite(event.score):
            raise ValueError(
                f"an event of score {event.score} lasts from {event.start} to {event.end} s"
            )
        if event.label not in labels.names:
            raise ValueError(f"an event has the label {event.label!r:.60}, which is none of its")
    return events
