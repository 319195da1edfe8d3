"""The user's own data set: one CSV, TSV or JSON-lines file that names videos and their events.

``manifest.csv``, one line an event::

    video,label,start,end,split
    clips/kitchen.mp4,frying,0.5,7.2,train
    clips/kitchen.mp4,dog,8,9.5,train
    clips/street.mp4,,,,train
    /data/park.mkv,dog,2,3,test

The same as ``manifest.jsonl``::

    {"video": "clips/kitchen.mp4", "label": "frying", "start": 0.5, "end": 7.2, "split": "train"}
    {"video": "clips/street.mp4", "split": "train"}

========= ==========================================================================
field     says
========= ==========================================================================
``video`` a path beside the manifest, or an absolute one; ``..`` is refused
``label`` what happens; empty for a video without events
``start`` seconds from the video's beginning, and
``end``   seconds, exclusive
``split`` ``train``, ``val``, ``test`` or empty; one video, one split
``id``    the video's name everywhere else; the file name without suffix by default
========= ==========================================================================

Any other field is ignored, and named in `Dataset.ignored_fields`; but a name that looks like a
misspelt one of these is refused. A ``.tsv`` file is a CSV file whose fields stand between tabs.

Labels have the order of their first appearance. A video is one example with all its events.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from avloc.datasets.dataset import SPLITS, Dataset, Row
from avloc.datasets.fields import (
    checked_id,
    checked_label,
    is_plain,
    numbered_lines,
    read_text,
    seconds,
)
from avloc.errors import DatasetError, UnknownNameError, message_of
from avloc.labels import LabelSet

MANIFEST = "manifest.csv"
MANIFEST_SUFFIXES = (".csv", ".tsv", ".jsonl")
FIELDS = ("video", "label", "start", "end", "split", "id")

_Record = dict[str, str | float]


class _Pairs(list[tuple[str, Any]]):
    """A JSON object before it is a dict, which would lose a field that is named twice."""


@dataclass
class _Video:
    """What the lines so far have said of one video."""

    path: Path
    split: str
    line: int


def load_manifest(path: Path) -> Dataset:
    """Read a manifest. A video that is not there is coverage, no error.

    Raises:
        DatasetError: the file is wrong, with its line.
    """
    records = _jsonl_records if path.suffix.lower() == ".jsonl" else _csv_records
    ignored: dict[str, None] = {}
    rows: list[Row] = []
    videos: dict[str, _Video] = {}
    id_of: dict[Path, str] = {}
    for line, record in records(path, ignored):
        try:
            row, video = _row(record), path.parent / _video_path(record)
            _agree(videos.setdefault(row.video_id, _Video(video, row.split, line)), row, video)
            if id_of.setdefault(video, row.video_id) != row.video_id:
                raise ValueError(f"{video.name} has the id {id_of[video]!r} on an earlier line")
        except (ValueError, UnknownNameError) as error:
            raise DatasetError(
                message_of(error),
                path,
                line,
                getattr(error, "hint", f"The fields are {_listed()}."),
            ) from error
        rows.append(row)
    if not rows:
        raise DatasetError("holds no rows", path, hint=f"The fields are {_listed()}.")
    return Dataset(
        name=path.parent.resolve().name if path.name == MANIFEST else path.stem,
        root=path,
        labels=LabelSet.in_order_of_appearance(row.label for row in rows if row.label),
        rows=tuple(rows),
        videos={key: video.path for key, video in videos.items() if _is_there(video.path)},
        is_row_alone=False,
        ignored_fields=tuple(ignored),
    )


def _listed() -> str:
    return ", ".join(FIELDS)


def _csv_records(path: Path, ignored: dict[str, None]) -> Iterator[tuple[int, _Record]]:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    text = io.StringIO(read_text(path), newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    names: list[str] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not names:
                names = [cell.strip() for cell in cells]
                ignored |= dict.fromkeys(_other_names(names, path, reader.line_num))
                continue
            if len(cells) != len(names):
                message = f"has {len(cells)} fields, the first line names {len(names)}"
                raise DatasetError(message, path, reader.line_num)
            yield reader.line_num, dict(zip(names, (c.strip() for c in cells), strict=True))
    except csv.Error as error:
        raise DatasetError(f"is not CSV: {error}", path, reader.line_num) from error


def _jsonl_records(path: Path, ignored: dict[str, None]) -> Iterator[tuple[int, _Record]]:
    for line, text in numbered_lines(read_text(path)):
        try:
            pairs = json.loads(text, object_pairs_hook=_Pairs)
        except (ValueError, RecursionError) as error:
            raise DatasetError(f"is not JSON: {error}", path, line) from error
        if not isinstance(pairs, _Pairs):
            raise DatasetError("is not a JSON object", path, line)
        others = _other_names([name for name, _ in pairs], path, line)
        ignored |= dict.fromkeys(others)
        record = {name: value for name, value in pairs if name not in others}
        for name, value in record.items():
            if isinstance(value, bool) or not isinstance(value, str | int | float | None):
                raise DatasetError(f"{name} is {value!r:.60}", path, line)
        yield line, {name: "" if value is None else value for name, value in record.items()}


def _other_names(names: list[str], path: Path, line: int) -> list[str]:
    """Return the fields that say nothing here; refuse what looks like a misspelt known one."""
    others = [name for name in names if name not in FIELDS]
    absent = [name for name in FIELDS if name not in names]
    for name in others:
        if _is_misspelt(name, absent):
            error = UnknownNameError("manifest field", name[:60], FIELDS)
            raise DatasetError(error.message, path, line, error.hint)
    if len(set(names)) < len(names):
        raise DatasetError("names a field twice", path, line)
    if "video" not in names:
        raise DatasetError("names no video", path, line, f"The fields are {_listed()}.")
    return others


def _is_misspelt(name: str, absent: Sequence[str]) -> bool:
    lower = name.lower()[:60]
    near = difflib.get_close_matches(lower, [field for field in absent if len(field) > 3], 1, 0.8)
    return lower in absent or bool(near)


def _row(record: _Record) -> Row:
    video_id = _text(record, "id") or PurePath(_text(record, "video")).stem
    split = _text(record, "split")
    if split not in (*SPLITS, ""):
        raise UnknownNameError("split", split[:60], SPLITS)
    label = _text(record, "label")
    if label:
        start, end = (seconds(record.get(name, ""), name) for name in ("start", "end"))
        if start >= end:
            raise ValueError(f"the event lasts from {start:g} to {end:g} s")
        return Row(checked_id(video_id), checked_label(label), start, end, split)
    if record.get("start", "") != "" or record.get("end", "") != "":
        raise ValueError("has times but no label")
    return Row(checked_id(video_id), "", 0.0, 0.0, split)


def _text(record: _Record, name: str) -> str:
    value = record.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{name} is {value!r:.60}, not a text")
    return value.strip()


def _video_path(record: _Record) -> PurePath:
    text = _text(record, "video")
    path = PurePath(text)
    if not path.name or ".." in path.parts or not is_plain(text):
        raise ValueError(f"{text!r:.200} is not a path inside the manifest's folder, nor absolute")
    return path


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for the file system, or a folder that may not be entered
        return False


def _agree(known: _Video, row: Row, path: Path) -> None:
    if known.path != path:
        raise ValueError(
            f"the id {row.video_id!r} names {path.name} here and {known.path} on line "
            f"{known.line}: give each its own in the field id"
        )
    if known.split != row.split:
        raise ValueError(
            f"{row.video_id!r} is in split {row.split!r} here and {known.split!r} on line "
            f"{known.line}"
        )
