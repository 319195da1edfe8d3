"""The user's own data set: one CSV, TSV or JSON-lines file that names videos and their events.

``manifest.csv``, one line an event::

    video,label,start,end,split,sense
    clips/kitchen.mp4,frying,0.5,7.2,train,both
    clips/kitchen.mp4,dog,6,9.5,train,heard
    clips/street.mp4,,,,train,
    /data/park.mkv,dog,,,test,

The same as ``manifest.jsonl``::

    {"video": "clips/kitchen.mp4", "label": "frying", "start": 0.5, "end": 7.2, "split": "train"}
    {"video": "clips/street.mp4", "split": "train"}

========= ==========================================================================
field     meaning
========= ==========================================================================
``video`` a path relative to the manifest, or an absolute one; ``..`` is refused; or an
          address: ``s3://bucket/dog.mp4``
``label`` of the event; empty for a video without events
``start`` of the event, seconds
``end``   of the event, seconds, exclusive
``split`` ``train``, ``val``, ``test`` or empty; one video, one split
``id``    the video's name everywhere else; the file name without suffix by default
``sense`` by which the event is known: ``both``, ``heard``, ``seen``, ``unknown``
========= ==========================================================================

Events may overlap. A label with neither start nor end is a label of the whole video: it occurs,
and nobody says when. Without ``video``, the file with the name ``id`` is looked for next to the
manifest and in ``videos/`` and ``video/``.

Any other field is ignored, and named in `Dataset.ignored_fields`; but a name that looks like a
misspelling of one of these is refused. A ``.tsv`` file is a CSV file with tabs between fields.
avloc's exported tables are manifests too: ``video_id`` means ``id``; in DCASE's, ``filename``,
``onset``, ``offset`` and ``event_label`` mean ``video``, ``start``, ``end`` and ``label``.

Labels have the order of their first appearance. A video is one example with all its events.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path, PurePath

from avloc.artifacts import Address, Location, as_location
from avloc.datasets.dataset import SPLITS, Dataset, Row
from avloc.datasets.fields import (
    checked_id,
    checked_label,
    checked_sense,
    is_plain,
    plain_name,
    seconds,
)
from avloc.datasets.label_kind import labels_of
from avloc.datasets.manifest_records import FIELDS_HINT, Record, read_records
from avloc.datasets.video_paths import is_file, videos_beside
from avloc.errors import DatasetError, UnknownNameError, message_of

MANIFEST = "manifest.csv"
MANIFEST_SUFFIXES = (".csv", ".tsv", ".jsonl")


def load_manifest(path: Path) -> Dataset:
    """Read a manifest. Missing videos are reported as coverage; they are not an error."""
    ignored: dict[str, None] = {}
    rows: list[Row] = []
    firsts: dict[str, tuple[int, str, Location]] = {}  # of each video: line, split and path
    id_of: dict[Location, str] = {}
    beside = cache(lambda: videos_beside(path.parent))
    for line, record in read_records(path, ignored):
        try:
            row, video = _row_and_video(_with_video(record), path.parent, beside)
            first = firsts.setdefault(row.video_id, (line, row.split, video))
            _check_same(row, video, *first)
            if id_of.setdefault(video, row.video_id) != row.video_id:
                raise ValueError(f"{video.name} has the id {id_of[video]!r} on an earlier line")
        except (ValueError, UnknownNameError) as error:
            hint = getattr(error, "hint", FIELDS_HINT)
            raise DatasetError(message_of(error), path, line, hint) from error
        rows.append(row)
    if not rows:
        raise DatasetError("holds no rows", path, hint=FIELDS_HINT)
    return Dataset(
        name=path.parent.resolve().name if path.name == MANIFEST else path.stem,
        root=path,
        labels=labels_of(rows),
        rows=tuple(rows),
        videos={name: video for name, (_, _, video) in firsts.items() if _exists(video)},
        is_row_alone=False,
        ignored_fields=tuple(ignored),
    )


def _row_and_video(
    record: Record, folder: Path, beside: Callable[[], dict[str, Path]]
) -> tuple[Row, Location]:
    row = _row(record)
    if "video" in record:
        video = as_location(_text(record, "video"))
        return row, video if isinstance(video, Address) else folder / _video_path(record)
    return row, beside().get(row.video_id, folder / row.video_id)


def _with_video(record: Record) -> Record:
    """Return a record of an exported table whose id is a path with that path as its video."""
    path = record.get("id", "")
    if "video" in record or not isinstance(path, str) or "/" not in path:
        return record
    parts = PurePath(path).with_suffix("").parts
    return {**record, "video": path, "id": plain_name("__".join(p for p in parts if p != "/"))}


def _row(record: Record) -> Row:
    video_id = _text(record, "id") or PurePath(_text(record, "video")).stem
    split, label = _text(record, "split"), _text(record, "label")
    if split not in (*SPLITS, ""):
        raise UnknownNameError("split", split[:60], SPLITS)
    video_id, sense = checked_id(video_id), checked_sense(_text(record, "sense"))
    has_times = record.get("start", "") != "" or record.get("end", "") != ""
    if not label:
        if has_times or sense != "unknown":
            raise ValueError(f"has {'times' if has_times else 'a sense'} but no label")
        return Row(video_id, "", 0.0, 0.0, split)
    if not has_times:
        label = checked_label(label)
        return Row(video_id, label, 0.0, 0.0, split, sense=sense, is_whole_video=True)
    start, end = (seconds(record.get(name, ""), name) for name in ("start", "end"))
    if start >= end:
        raise ValueError(f"the event lasts from {start:g} to {end:g} s")
    return Row(video_id, checked_label(label), start, end, split, sense=sense)


def _text(record: Record, name: str) -> str:
    value = record.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{name} is {value!r:.60}, not a text")
    return value.strip()


def _video_path(record: Record) -> PurePath:
    text = _text(record, "video")
    path = PurePath(text)
    if not path.name or ".." in path.parts or not is_plain(text):
        raise ValueError(f"{text!r:.200} is not a path inside the manifest's folder, nor absolute")
    return path


def _exists(video: Location) -> bool:
    """Tell whether a video is there; of an address that is found out when it is fetched."""
    return isinstance(video, Address) or is_file(video)


def _check_same(row: Row, video: Location, line: int, split: str, path: Location) -> None:
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
