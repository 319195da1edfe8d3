"""A video's timeline as a file (schema ``avloc.localization/1``)."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path

import h5py
import numpy as np

from avloc.artifacts.arrays import REAL, Arrays
from avloc.artifacts.attributes import SEGMENT_SECONDS, Attributes
from avloc.artifacts.hdf5 import create, labels_to_json, open_artifact, to_json, write_arrays
from avloc.errors import ArtifactError
from avloc.labels import LabelSet
from avloc.timeline import Event, Grid, Timeline

EVENT_TYPE = np.dtype(
    [
        ("start", np.float64),
        ("end", np.float64),
        ("label", h5py.string_dtype()),
        ("score", np.float64),
    ]
)
_ARRAYS = ("scores", "attention", "gate_visual", "gate_audio")
_PLAIN = ("video_id", "source", "model", "fingerprint", "duration")


def write_localization(path: Path | str, timeline: Timeline, *, key: str = "") -> None:
    """Write a timeline atomically.

    Args:
        path: the file.
        timeline: what to write.
        key: stands for all that the answer follows from, for `localization_key`.

    Raises:
        OutputError: the place cannot be written.
    """
    events = [(event.start, event.end, event.label, event.score) for event in timeline]
    with create(path, "localization") as file:
        write_arrays(file, {name: getattr(timeline, name) for name in _ARRAYS})
        file.create_dataset("events", data=np.array(events, dtype=EVENT_TYPE))
        file.attrs.update({name: getattr(timeline, name) for name in _PLAIN})
        file.attrs["labels"] = labels_to_json(timeline.labels)
        file.attrs["segment_seconds"] = str(timeline.grid.segment_seconds)
        file.attrs["frame_size"] = to_json(timeline.frame_size)
        file.attrs["flags"] = to_json(list(timeline.flags))
        file.attrs["key"] = key


def localization_key(path: Path | str) -> str:
    """Return the key that a timeline was written with; empty where there is none to read."""
    try:
        with open_artifact(path, "localization") as (_, attributes):
            return attributes.text("key") if attributes.has("key") else ""
    except ArtifactError:
        return ""


def read_localization(path: Path | str) -> Timeline:
    """Read a timeline.

    Raises:
        ArtifactError: it is missing, damaged, of another kind or too new.
    """
    with open_artifact(path, "localization") as (arrays, attributes):
        labels = attributes.labels()
        arrays.sizes["C"] = labels.n_classes
        scores = arrays.read("scores", "T C", REAL)
        return Timeline(
            video_id=attributes.text("video_id"),
            source=attributes.text("source"),
            model=attributes.text("model"),
            fingerprint=attributes.text("fingerprint"),
            duration=attributes.number("duration"),
            labels=labels,
            grid=Grid(len(scores), _segment_seconds(attributes)),
            scores=scores,
            events=_events(arrays, labels),
            attention=arrays.find("attention", "T H W", REAL),
            gate_visual=arrays.find("gate_visual", "T", REAL),
            gate_audio=arrays.find("gate_audio", "T", REAL),
            frame_size=attributes.frame_size(),
            flags=attributes.texts("flags"),
        )


def _segment_seconds(attributes: Attributes) -> Fraction:
    text = attributes.text("segment_seconds")
    # Fraction itself takes "1e999999999", and then fills the memory with that number
    if not re.fullmatch(r"[0-9]{1,18}(/[0-9]{1,18})?", text, re.ASCII) or text.endswith("/0"):
        raise ValueError(f"segment_seconds is {text!r:.60}, not a fraction")
    seconds, (least, most) = Fraction(text), SEGMENT_SECONDS
    if not least <= seconds <= most:
        raise ValueError(f"segment_seconds is {text}, not from {least:g} to {most:g}")
    return seconds


def _events(arrays: Arrays, labels: LabelSet) -> tuple[Event, ...]:
    events = tuple(Event(*line) for line in arrays.read_table("events", "E", EVENT_TYPE))
    for event in events:
        if not 0 <= event.start < event.end < math.inf or not math.isfinite(event.score):
            raise ValueError(f"an event lasts from {event.start} to {event.end} s")
        if event.label not in labels.names:
            raise ValueError(f"an event has the label {event.label!r:.60}, which is none of its")
    return events
