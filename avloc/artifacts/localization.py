"""A video's timeline as a file (schema ``avloc.localization/1``)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from avloc.artifacts.hdf5 import create, from_json, open_artifact, optional, to_json, write_arrays
from avloc.artifacts.model import labels_from_json, labels_to_json
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


def write_localization(path: Path | str, timeline: Timeline) -> None:
    """Write a timeline atomically.

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


def read_localization(path: Path | str) -> Timeline:
    """Read a timeline.

    Raises:
        ArtifactError: it is missing, damaged, of another kind or too new.
    """
    with open_artifact(path, "localization") as file:
        scores = np.asarray(file["scores"])
        optionals: dict[str, Any] = {name: optional(file, name) for name in _ARRAYS[1:]}
        plain: dict[str, Any] = {name: str(file.attrs[name]) for name in _PLAIN[:-1]}
        size = from_json(file.attrs["frame_size"])
        return Timeline(
            **plain,
            **optionals,
            scores=scores,
            grid=Grid(len(scores), Fraction(file.attrs["segment_seconds"])),
            labels=labels_from_json(file.attrs["labels"]),
            events=tuple(_event(row) for row in file["events"][:]),
            duration=float(file.attrs["duration"]),
            frame_size=tuple(size) if size else None,
            flags=tuple(from_json(file.attrs["flags"])),
        )


def _event(row: Any) -> Event:
    return Event(float(row["start"]), float(row["end"]), row["label"].decode(), float(row["score"]))
