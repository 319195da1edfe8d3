"""UnAV-100: untrimmed videos with many audio-visual events (Geng et al., CVPR 2023).

::

    UnAV-100/
      unav100_annotations.json
      videos/<id>.mp4

The file, in the form of ActivityNet's::

    {"database": {"-0J1SbgYLaw": {"subset": "train", "duration": 42.0, "annotations": [
        {"label": "dog barking", "label_id": 12, "segment": [0.0, 13.4]}]}}}

Times are seconds. ``duration``, ``fps`` and ``label_id`` may be missing. Subsets are compared in
lower case; ``training``, ``validation`` and ``testing`` are known too. The labels are those of the
file, in the order of their numbers if all have one. An event is heard and seen. An event that
repeats another, with both ends within 0.001 s, is left out and counted in `Dataset.notes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from avloc.datasets.dataset import SPLITS, Dataset, Row
from avloc.datasets.fields import checked_id, checked_label, seconds
from avloc.datasets.json_file import JsonFile
from avloc.datasets.video_paths import videos_beside
from avloc.errors import UnknownNameError
from avloc.labels import LabelSet

ANNOTATIONS = "unav100_annotations.json"
SUBSETS = {
    **{name: name for name in SPLITS},
    **{"training": "train", "validation": "val", "valid": "val", "testing": "test"},
}
SAME = 1e-3 + 1e-9  # seconds between the ends of events that are the same


class _Labels:
    """The labels of the file, with their numbers."""

    def __init__(self) -> None:
        self._number_of: dict[str, int | None] = {}
        self._label_of: dict[int, str] = {}

    def add(self, label: str, number: object) -> None:
        """Add a label; refuse a number that is another label's, or another number."""
        if number is None:
            self._number_of.setdefault(label, None)
            return
        if type(number) is not int or number < 0:
            raise ValueError(f"label_id is {number!r:.60}, not a whole number")
        if self._label_of.setdefault(number, label) != label:
            raise ValueError(f"{label!r} and {self._label_of[number]!r} have the label_id {number}")
        known = self._number_of.get(label)
        if known is not None and known != number:
            raise ValueError(f"{label!r} has the label_id {number} here and {known} before")
        self._number_of[label] = number

    def in_order(self) -> LabelSet:
        """Return the labels by number if all have one, else in order of first appearance."""
        numbers = [number for number in self._number_of.values() if number is not None]
        is_numbered = len(numbers) == len(self._number_of)
        names = [self._label_of[n] for n in sorted(numbers)] if is_numbered else self._number_of
        return LabelSet(tuple(names), kind="independent")


def load_unav100(path: Path) -> Dataset:
    """Read UnAV-100's annotation file. Missing videos are not an error."""
    return read_unav100(JsonFile(path))


def read_unav100(file: JsonFile) -> Dataset:
    """Return the data set of a parsed annotation file."""
    database = file.content.get("database") if isinstance(file.content, dict) else None
    if not isinstance(database, dict):
        raise file.error("has no object named database")
    labels = _Labels()
    rows: list[Row] = []
    n_repeated = n_late = 0
    for video_id, entry in database.items():
        try:
            split, duration, annotations = _entry(entry)
            events = [_event(annotation, labels, duration) for annotation in annotations]
            name = checked_id(video_id.strip())
        except (ValueError, UnknownNameError) as error:
            raise file.error(error, video_id) from error
        distinct = list(_distinct(events))
        n_repeated += len(events) - len(distinct)
        n_late += sum(end > duration for _, _, end in distinct)
        rows += _rows(name, split, distinct)
    if not rows:
        raise file.error("names no videos")
    beside = videos_beside(file.path.parent)
    return Dataset(
        name=file.path.parent.resolve().name,
        root=file.path.parent if file.path.name == ANNOTATIONS else file.path,
        labels=labels.in_order(),
        rows=tuple(rows),
        videos={row.video_id: beside[row.video_id] for row in rows if row.video_id in beside},
        is_row_alone=False,
        notes=tuple(_notes(file.path.name, n_repeated, n_late)),
    )


def _notes(name: str, n_repeated: int, n_late: int) -> Iterator[str]:
    if n_repeated:
        yield f"{name}: {n_repeated} of its events repeat another and are left out"
    if n_late:
        yield f"{name}: {n_late} of its events end after the duration of their video"


def _entry(entry: object) -> tuple[str, float, list[Any]]:
    """Return a video's split, its duration (infinite if unknown), and its annotations."""
    if not isinstance(entry, dict):
        raise ValueError(f"is {entry!r:.60}, not an object with subset and annotations")
    subset = entry.get("subset")
    if not isinstance(subset, str):
        raise ValueError(f"subset is {subset!r:.60}, not a text")
    if subset.strip().lower() not in SUBSETS:
        raise UnknownNameError("subset", subset[:60], SUBSETS)
    duration = entry.get("duration")
    annotations = entry.get("annotations")
    if not isinstance(annotations, list | None):
        raise ValueError(f"annotations is {annotations!r:.60}, not a list")
    length = float("inf") if duration is None else _time(duration, "duration")
    return SUBSETS[subset.strip().lower()], length, annotations or []


def _event(annotation: object, labels: _Labels, duration: float) -> tuple[str, float, float]:
    if not isinstance(annotation, dict):
        raise ValueError(f"an annotation is {annotation!r:.60}, not an object")
    label, segment = annotation.get("label"), annotation.get("segment")
    if not isinstance(label, str):
        raise ValueError(f"a label is {label!r:.60}, not a text")
    if not isinstance(segment, list) or len(segment) != 2:
        raise ValueError(f"the segment of {label!r:.60} is {segment!r:.60}, not two times")
    start, end = _time(segment[0], "the segment's start"), _time(segment[1], "the segment's end")
    if not start < min(end, duration):
        of = "" if duration == float("inf") else f" of {duration:g}"
        raise ValueError(f"{label!r:.60} lasts from {start:g} to {end:g} s{of}")
    name = checked_label(label.strip())
    labels.add(name, annotation.get("label_id"))
    return name, start, end


def _time(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{what} is {value!r:.60}, not a time in seconds")
    return seconds(value, what)


def _distinct(events: list[tuple[str, float, float]]) -> Iterator[tuple[str, float, float]]:
    """Yield the events that do not repeat an earlier one."""
    seen: dict[str, list[tuple[float, float]]] = {}
    for label, start, end in events:
        of_label = seen.setdefault(label, [])
        if not any(abs(start - s) <= SAME and abs(end - e) <= SAME for s, e in of_label):
            of_label.append((start, end))
            yield label, start, end


def _rows(video_id: str, split: str, events: list[tuple[str, float, float]]) -> list[Row]:
    if not events:
        return [Row(video_id, "", 0.0, 0.0, split)]
    return [Row(video_id, *event, split=split, sense="both") for event in events]
