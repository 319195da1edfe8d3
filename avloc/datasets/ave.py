"""The AVE data set in its own layout (Tian et al., ECCV 2018).

::

    AVE_Dataset/
      Annotations.txt                        Category&VideoID&Quality&StartTime&EndTime
      trainSet.txt  valSet.txt  testSet.txt  rows of Annotations.txt, the same five fields
      AVE/<VideoID>.mp4                      10 s each; other containers are taken too

Published features have ``train_order.h5`` and so on in place of the split files: the 0-based
numbers of the rows. Times are whole seconds, the end exclusive; the header line is optional.
Rows, not videos, are split: 45 of AVE's 4097 videos have two or three rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from avloc.artifacts.published_arrays import read_order
from avloc.datasets.dataset import SPLITS, Dataset, Row
from avloc.datasets.fields import checked_id, checked_label, numbered_lines, read_text, seconds
from avloc.errors import DatasetError, MediaError
from avloc.labels import LabelSet
from avloc.media import video_files

ANNOTATIONS = "Annotations.txt"
HEADER = "Category&VideoID&Quality&StartTime&EndTime"
VIDEO_FOLDER = "AVE"
N_SEGMENTS = 10

_Key = tuple[str, str, float, float]


def split_file(name: str) -> str:
    """Return the file name of a split: ``trainSet.txt`` for ``train``."""
    return f"{name}Set.txt"


def order_file(name: str) -> str:
    """Return the name of a split's file of row numbers: ``train_order.h5`` for ``train``."""
    return f"{name}_order.h5"


def load_ave(root: Path, n_segments: int = N_SEGMENTS, annotations: str = ANNOTATIONS) -> Dataset:
    """Read AVE's layout from the folder of its annotation file and split files.

    Every video has ``n_segments`` seconds. Missing videos are not an error.
    """
    path = root / annotations
    if not path.is_file():
        raise DatasetError(
            f"there is no {annotations} in this folder",
            root,
            hint=f"AVE's folder holds {ANNOTATIONS}, {split_file('train')} and so on, and the "
            f"videos in {VIDEO_FOLDER}/.",
        )
    line_of: dict[_Key, int] = {}
    by_key: dict[_Key, Row] = {}
    for line, row in _rows(path, n_segments):
        if (key := _key(row)) in by_key:
            raise DatasetError(f"repeats line {line_of[key]}", path, line)
        by_key[key], line_of[key] = row, line
    if not by_key:
        raise DatasetError("holds no rows", path)
    _mark_splits(root, by_key, n_segments)
    rows = tuple(by_key.values())
    labels = LabelSet.in_order_of_appearance(row.label for row in rows)
    source = root if annotations == ANNOTATIONS else path
    return Dataset(root.name, source, labels, rows, _videos(root, rows), n_segments)


def _rows(path: Path, n_segments: int) -> Iterator[tuple[int, Row]]:
    for line, text in numbered_lines(read_text(path)):
        if line == 1 and text.strip() == HEADER:
            continue
        try:
            yield line, _row(text, n_segments)
        except ValueError as error:
            raise DatasetError(str(error), path, line, f"A line reads {HEADER}.") from error


def _row(text: str, n_segments: int) -> Row:
    fields = [field.strip() for field in text.split("&")]
    if len(fields) != 5:
        raise ValueError(f"has {len(fields)} fields separated by &, not 5")
    label, video_id, quality, start, end = fields
    times = seconds(start, "StartTime"), seconds(end, "EndTime")
    row = Row(checked_id(video_id), checked_label(label), *times, quality=quality, sense="both")
    if not row.start <= row.end <= n_segments:
        raise ValueError(f"the event lasts from {start} to {end} s of {n_segments}")
    return row


def _key(row: Row) -> _Key:
    return (row.label, row.video_id, row.start, row.end)


def _mark_splits(root: Path, rows: dict[_Key, Row], n_segments: int) -> None:
    """Set each row's split, if there are split files."""
    keys = list(rows)
    for file_of in (split_file, order_file):
        paths = {split: root / file_of(split) for split in SPLITS}
        missing = [path.name for path in paths.values() if not path.is_file()]
        if len(missing) == len(paths):
            continue
        if missing:
            raise DatasetError(f"there is no {missing[0]} beside the other split files", root)
        for split, path in paths.items():
            if file_of is order_file:
                numbers = read_order(path, len(keys)).tolist()
                members = [(0, f"row {number}", keys[number]) for number in numbers]
            else:
                lines = _rows(path, n_segments)
                members = [(line, "this row", _key(row)) for line, row in lines]
            for line, what, key in members:
                if key not in rows:
                    raise DatasetError(f"no row of {ANNOTATIONS} has this event", path, line)
                if other := rows[key].split:
                    raise DatasetError(f"{what} is already in {file_of(other)}", path, line)
                rows[key] = replace(rows[key], split=split)
        return


def _videos(root: Path, rows: tuple[Row, ...]) -> dict[str, Path]:
    """Find the rows' videos; an .mp4 comes before other files of the same id."""
    try:
        paths = video_files(root / VIDEO_FOLDER)
    except MediaError:
        return {}
    by_id: dict[str, Path] = {}
    for path in sorted(paths, key=lambda path: path.suffix.lower() != ".mp4"):
        by_id.setdefault(path.stem, path)
    return {row.video_id: by_id[row.video_id] for row in rows if row.video_id in by_id}
