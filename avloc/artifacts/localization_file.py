"""A video's timeline as a file (schema ``avloc.localization/3``)."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from avloc.artifacts.arrays import Arrays, Depth
from avloc.artifacts.hdf5 import read_artifact
from avloc.artifacts.new_artifact import create
from avloc.artifacts.schema import Array, FrameSize, Range, Seconds, header_fields, typed
from avloc.errors import ArtifactError
from avloc.labels import LabelSet
from avloc.timeline import ClipScore, Event, FloatArray, Grid, Timeline

_ROUNDING = 1e-5  # by which a mean of shares in float32 may pass 1
_TYPES: dict[str, Any] = {
    "video_id": str,
    "labels": LabelSet,
    "segment_seconds": Annotated[Fraction, Range(1e-6, 1e6)],
    "scores": Annotated[FloatArray, Array("T C")],
    "heard": Annotated[FloatArray | None, Array("T C", may_be_nan=True)],
    "seen": Annotated[FloatArray | None, Array("T C", may_be_nan=True)],
    "rival": ClipScore | None,
    "events": tuple[Event, ...],
    "attention": Annotated[FloatArray | None, Array("T H W")],
    "gate_visual": Annotated[FloatArray | None, Array("T")],
    "gate_audio": Annotated[FloatArray | None, Array("T")],
    "frame_size": FrameSize,
    "duration": Seconds,
    "source": str,
    "model": str,
    "fingerprint": str,
    "flags": tuple[str, ...],
}


def write_localization(path: Path | str, timeline: Timeline, *, key: str = "") -> None:
    """Write a timeline atomically; the key stands for all that the answer follows from."""
    with create(path, "localization", parse_localization) as new:
        seconds = timeline.grid.segment_seconds
        new.put(vars(timeline) | {"segment_seconds": seconds}, _TYPES)
        new.header["key"] = key


def localization_key(path: Path | str) -> str:
    """Return the key that a timeline was written with; empty where there is none to read."""
    try:
        return read_artifact(path, "localization", _key, Depth.HEADERS)
    except ArtifactError:
        return ""


def read_localization(path: Path | str) -> Timeline:
    """Read a timeline; ArtifactError if missing, damaged, of another kind or version."""
    return read_artifact(path, "localization", parse_localization)


def parse_localization(arrays: Arrays, header: dict[str, Any]) -> Timeline:
    """Make a timeline of a file's arrays and header; ValueError where they are damaged."""
    fields = header_fields({"rival": None} | header, _TYPES)
    arrays.sizes["C"] = fields["labels"].n_labels
    fields |= arrays.fields(_TYPES)
    grid = Grid(len(fields["scores"]), fields.pop("segment_seconds"))
    for event in fields["events"]:
        _check(event, fields["labels"])
    return Timeline(grid=grid, **fields)


def _check(event: Event, labels: LabelSet) -> None:
    if not 0 <= event.start < event.end < math.inf:
        raise ValueError(f"an event lasts from {event.start} to {event.end} s")
    if event.label not in labels.names:
        raise ValueError(f"an event has an unknown label, {event.label!r:.60}")
    for name in ("score", "heard", "seen"):
        share = getattr(event, name)
        if share is not None and not 0 <= share <= 1 + _ROUNDING:
            raise ValueError(f"{name} of an event is {share}, not from 0 to 1")


def _key(_: Arrays, header: dict[str, Any]) -> str:
    return str(typed(header["key"], str, "key"))
