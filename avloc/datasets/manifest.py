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
field     meaning
========= ==========================================================================
``video`` a path relative to the manifest, or an absolute one; ``..`` is refused
``label`` of the event; empty for a video without events
``start`` of the event, seconds
``end``   of the event, seconds, exclusive
``split`` ``train``, ``val``, ``test`` or empty; one video, one split
``id``    the video's name everywhere else; the file name without suffix by default
========= ==========================================================================

Any other field is ignored, and named in `Dataset.ignored_fields`; but a name that looks like a
misspelling of one of these is refused. A ``.tsv`` file is a CSV file with tabs between fields.

Labels have the order of their first appearance. A video is one example with all its events.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections.abc import Iterator
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
_HINT = f"The fields are {', '.join(FIELDS)}."

_Record = dict[str, str | float]


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as pairs: a dict would lose a field that is named twice."""


def load_manifest(path: Path) -> Dataset:
    """Read a manifest. Missing videos are reported as coverage; they are not an error."""
    records = _jsonl_records if path.suffix.lower() == ".jsonl" else _csv_records
    ignored: dict[str, None] = {}
    rows: list[Row] = []
    firsts: dict[str, tuple[int, str, Path]] = {}  # of each video: line, split and path
    id_of: dict[Path, str] = {}
    for line, record in records(path, ignored):
        try:
            row, video = _row(record), path.parent / _video_path(record)
            first = firsts.setdefault(row.video_id, (line, row.split, video))
            _check_same(row, video, *first)
            if id_of.setdefault(video, row.video_id) != row.video_id:
                raise ValueError(f"{video.name} has the id {id_of[video]!r} on an earlier line")
        except (ValueError, UnknownNameError) as error:
            hint = getattr(error, "hint", _HINT)
            raise DatasetError(message_of(error), path, line, hint) from error
        rows.append(row)
    if not rows:
        raise DatasetError("holds no rows", path, hint=_HINT)
    return Dataset(
        name=path.parent.resolve().name if path.name == MANIFEST else path.stem,
        root=path,
        labels=LabelSet.in_order_of_appearance(row.label for row in rows if row.label),
        rows=tuple(rows),
        videos={name: video for name, (_, _, video) in firsts.items() if _is_file(video)},
        is_row_alone=False,
        ignored_fields=tuple(ignored),
    )


def _csv_records(path: Path, ignored: dict[str, None]) -> Iterator[tuple[int, _Record]]:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    text = io.StringIO(read_text(path), newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    names: list[str] = []
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if not names:
                names = cells
                ignored |= dict.fromkeys(_other_names(names, path, reader.line_num))
                continue
            if len(cells) != len(names):
                message = f"has {len(cells)} fields, the first line names {len(names)}"
                raise DatasetError(message, path, reader.line_num)
            yield reader.line_num, dict(zip(names, cells, strict=True))
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
    """Return the fields to ignore; refuse one that looks like a misspelling."""
    others = [name for name in names if name not in FIELDS]
    absent = [name for name in FIELDS if name not in names]
    long_enough = [name for name in absent if len(name) > 3]
    for name in others:
        lower = name.lower()[:60]
        if lower in absent or difflib.get_close_matches(lower, long_enough, 1, 0.8):
            error = UnknownNameError("manifest field", name[:60], FIELDS)
            raise DatasetError(error.message, path, line, error.hint)
    if len(set(names)) < len(names):
        raise DatasetError("names a field twice", path, line)
    if "video" not in names:
        raise DatasetError("names no video", path, line, _HINT)
    return others


def _row(record: _Record) -> Row:
    video_id = _text(record, "id") or PurePath(_text(record, "video")).stem
    split, label = _text(record, "split"), _text(record, "label")
    if split not in (*SPLITS, ""):
        raise UnknownNameError("split", split[:60], SPLITS)
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


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for the file system, or a folder without permission
        return False


def _check_same(row: Row, video: Path, line: int, split: str, path: Path) -> None:
    """Refuse a row that disagrees with an earlier line about its video."""
    if path != video:
        raise ValueError(
            f"the id {row.video_id!r} names {video.name} here and {path} on line {line}: "
            "give each its own in the field id"
        )
    if split != row.split:
        raise ValueError(
            f"{row.video_id!r} is in split {row.split!r} here and {split!r} on line {line}"
        )
