"""OV-AVEBench, the benchmark of open-vocabulary audio-visual event localization (CVPR 2025).

::

    OV-AVEBench/
      ovave_dataset_meta.csv              split,cls_name,cls_type,vid_name
      released_ovavel_dataset_anno.json   {id: {"category": name, "label": "[0, 1, ...]"}}
      videos/<vid_name>.mp4

Each clip of 10 s has one class, and says for each second whether its event is heard and seen. The
type of a class, ``close`` or ``open``, says whether training has clips of it; it is in
`Dataset.label_groups`. A clip's runs of seconds are its rows; a clip without event has one row with
its class and no length, as in AVE.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from avloc.datasets.dataset import SPLITS, Dataset, Row
from avloc.datasets.fields import checked_id, checked_label
from avloc.datasets.json_file import JsonFile
from avloc.datasets.label_kind import labels_of
from avloc.datasets.named_columns import read_columns
from avloc.datasets.video_paths import videos_beside
from avloc.errors import DatasetError, UnknownNameError, message_of

META = "ovave_dataset_meta.csv"
ANNOTATIONS = "released_ovavel_dataset_anno.json"
COLUMNS = ("split", "cls_name", "cls_type", "vid_name")
GROUPS = ("close", "open")
N_SEGMENTS = 10


def is_ov_avebench(root: Path) -> bool:
    """Return whether a folder holds a file of OV-AVEBench."""
    return (root / META).is_file() or (root / ANNOTATIONS).is_file()


def load_ov_avebench(root: Path) -> Dataset:
    """Read OV-AVEBench from the folder of its files. Missing videos are not an error."""
    for name in (META, ANNOTATIONS):
        if not (root / name).is_file():
            raise DatasetError(f"there is no {name} in this folder", root)
    annotations = JsonFile(root / ANNOTATIONS)
    if not isinstance(annotations.content, dict):
        raise annotations.error("is not a JSON object with an entry for each video")
    rows: list[Row] = []
    groups: dict[str, str] = {}
    clips: set[str] = set()
    for split, label, group, clip in _clips(root / META, annotations):
        rows += _rows(clip, label, split, annotations)
        groups[label] = group
        clips.add(clip)
    if not rows:
        raise DatasetError("holds no rows", root / META)
    n_unlisted = len(annotations.content) - len(clips)
    beside = videos_beside(root)
    return Dataset(
        name=root.resolve().name,
        root=root,
        labels=labels_of(rows, "exclusive"),
        rows=tuple(rows),
        videos={name: path for name, path in beside.items() if name in clips},
        n_segments=N_SEGMENTS,
        is_row_alone=False,
        label_groups=groups,
        notes=(f"{ANNOTATIONS}: {n_unlisted} of its clips are not in {META}",)
        if n_unlisted
        else (),
    )


def _clips(path: Path, annotations: JsonFile) -> Iterator[tuple[str, str, str, str]]:
    """Yield split, class, type of class and id of each clip of the table."""
    groups: dict[str, str] = {}
    line_of: dict[str, int] = {}
    for line, cells in read_columns(path, COLUMNS):
        try:
            split, label, group, clip = _checked(*cells)
            if line_of.setdefault(clip, line) != line:
                raise ValueError(f"{clip!r} is also on line {line_of[clip]}")
            if groups.setdefault(label, group) != group:
                raise ValueError(
                    f"{label!r} is {group} here and {groups[label]} on an earlier line"
                )
            if clip not in annotations.content:
                raise ValueError(f"{clip!r} has no entry in {ANNOTATIONS}")
        except (ValueError, UnknownNameError) as error:
            hint = getattr(error, "hint", "")
            raise DatasetError(message_of(error), path, line, hint) from error
        yield split, label, group, clip


def _checked(split: str, label: str, group: str, clip: str) -> tuple[str, str, str, str]:
    if split.lower() not in SPLITS:
        raise UnknownNameError("split", split[:60], SPLITS)
    if group.lower() not in GROUPS:
        raise UnknownNameError("type of class", group[:60], GROUPS)
    return split.lower(), checked_label(label), group.lower(), checked_id(clip)


def _rows(clip: str, label: str, split: str, annotations: JsonFile) -> Iterator[Row]:
    """Yield the clip's runs of seconds with its event."""
    try:
        events = _seconds_of(annotations.content[clip], label)
    except ValueError as error:
        raise annotations.error(error, clip) from error
    if not any(events):
        yield Row(clip, label, 0.0, 0.0, split, sense="both")
    start = 0
    for is_event, run in groupby(events):
        end = start + len(list(run))
        if is_event:
            yield Row(clip, label, float(start), float(end), split, sense="both")
        start = end


def _seconds_of(entry: object, label: str) -> list[int]:
    """Return the ten numbers of an entry, each 0 or 1."""
    if not isinstance(entry, dict):
        raise ValueError(f"is {entry!r:.60}, not an object with category and label")
    category, text = entry.get("category", label), entry.get("label")
    if not isinstance(category, str) or category.strip() != label:
        raise ValueError(f"its category is {category!r:.60}, and {label!r:.60} in {META}")
    try:
        numbers = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        numbers = None
    if (
        not isinstance(numbers, list)
        or len(numbers) != N_SEGMENTS
        or any(type(number) is not int or number not in (0, 1) for number in numbers)
    ):
        raise ValueError(f"its label is {text!r:.60}, not ten numbers that are 0 or 1")
    return numbers
