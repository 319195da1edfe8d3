"""Label Studio's JSON and JSON-MIN exports as a manifest: ``--format label-studio``, corrected.

A task is a video. Its events are the regions of ``<Labels>`` on sound, in seconds; regions of
``<TimelineLabels>`` count frames, and are refused. Of several annotations, the ground truth counts,
else the last; skipped ones never do. If no task of the file is annotated, the predictions are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avloc.datasets.dataset import SPLITS, Dataset, Row
from avloc.datasets.fields import checked_id, checked_label, checked_sense, plain_name, seconds
from avloc.datasets.json_file import JsonFile
from avloc.datasets.label_kind import labels_of
from avloc.datasets.stated_videos import stated_id, stated_path, stated_video
from avloc.datasets.video_paths import videos_beside
from avloc.errors import UnknownNameError
from avloc.media import MEDIA_SUFFIXES
from avloc.timeline import SENSES, Sense

_Json = dict[str, Any]
_HINT = "Annotate the tasks in Label Studio, then export them as JSON."


@dataclass(frozen=True)
class _Task:
    line: int
    data: _Json
    annotations: tuple[list[Any], ...]  # the regions of each annotation that was not skipped
    predictions: tuple[list[Any], ...]
    is_annotated: bool  # or skipped

    def regions(self, use_predictions: bool) -> list[Any] | None:
        """Return the regions that count; None if the task has none to read."""
        candidates = self.predictions if use_predictions else self.annotations
        return candidates[-1] if candidates else None


def read_label_studio(file: JsonFile) -> Dataset:
    """Return the data set of a parsed export. Missing videos are not an error."""
    tasks = [_task(file, line, element) for line, element in file.elements()]
    use_predictions = not any(task.is_annotated for task in tasks)
    beside = videos_beside(file.path.parent)
    rows: list[Row] = []
    videos: dict[str, Path] = {}
    line_of: dict[str, int] = {}
    n_unread = n_empty = 0
    for task in tasks:
        regions = task.regions(use_predictions)
        if regions is None:
            n_unread += 1
            continue
        video_id, stated, found = _read_task(file, task, regions, line_of)
        events = [row for row in found if row.is_event]
        n_empty += len(found) - len(events)
        rows += events or [Row(video_id, "", 0.0, 0.0, _split(task.data))]
        video = stated_video([stated], video_id, file.path.parent, beside)
        if video is not None:
            videos[video_id] = video
    if not rows:
        raise file.error("holds no annotated task", hint=_HINT)
    return Dataset(
        name=file.path.name.partition(".")[0],
        root=file.path,
        labels=labels_of(rows),
        rows=tuple(rows),
        videos=videos,
        is_row_alone=False,
        notes=tuple(_notes(use_predictions, n_unread, n_empty)),
    )


def _read_task(
    file: JsonFile, task: _Task, regions: Sequence[Any], line_of: dict[str, int]
) -> tuple[str, str, list[Row]]:
    """Return a task's video id, where it says the video is, and its events."""
    try:
        video_id, stated = _video(task.data)
        if video_id in line_of:
            raise ValueError(f"the video {video_id!r} is also the task on line {line_of[video_id]}")
        line_of[video_id] = task.line
        return video_id, stated, list(_rows(video_id, _split(task.data), regions))
    except (ValueError, UnknownNameError) as error:
        raise file.error(error, line=task.line) from error


def _split(data: _Json) -> str:
    split = data.get("split")
    return split if isinstance(split, str) and split in SPLITS else ""


def _task(file: JsonFile, line: int, element: object) -> _Task:
    """Return a task of either export; JSON-MIN has the data and the regions side by side."""
    if not isinstance(element, dict):
        raise file.error(f"a task is {element!r:.60}, not an object", hint=_HINT, line=line)
    if not isinstance(element.get("data"), dict):
        lists = [value for value in element.values() if _is_regions(value)]
        regions = [{"type": "labels", "value": value} for values in lists for value in values]
        return _Task(line, element, (regions,), (), True)
    try:
        annotations = [
            a for a in _objects(element, "annotations") if a.get("was_cancelled") is not True
        ]
        annotations.sort(key=lambda annotation: annotation.get("ground_truth") is True)
        is_annotated = bool(_objects(element, "annotations"))
        done, guessed = (
            tuple(_list(result, "result") for result in results)
            for results in (annotations, _objects(element, "predictions"))
        )
    except ValueError as error:
        raise file.error(error, line=line, hint=_HINT) from error
    return _Task(line, element["data"], done, guessed, is_annotated)


def _is_regions(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(v, dict) and ("labels" in v or "timelinelabels" in v) for v in value
    )


def _list(owner: Mapping[str, Any], name: str) -> list[Any]:
    value = owner.get(name)
    if not isinstance(value, list | None):
        raise ValueError(f"{name} is {value!r:.60}, not a list")
    return value or []


def _objects(owner: Mapping[str, Any], name: str) -> list[_Json]:
    values = _list(owner, name)
    for value in values:
        if not isinstance(value, dict):
            raise ValueError(f"one of {name} is {value!r:.60}, not an object")
    return values


def _video(data: _Json) -> tuple[str, str]:
    """Return the id of a task's video, and where the task says that it is."""
    texts = {name: value for name, value in data.items() if isinstance(value, str)}
    stated = texts.get("video") or next(
        (
            text
            for text in texts.values()
            if Path(stated_path(text)).suffix.lower() in MEDIA_SUFFIXES
        ),
        "",
    )
    video_id = plain_name(texts.get("video_id", "")) or stated_id(stated)
    if not video_id:
        raise ValueError("a task's data name no video")
    return checked_id(video_id), stated


def _rows(video_id: str, split: str, regions: Sequence[Any]) -> Iterator[Row]:
    """Yield the events of a task's regions; their senses are choices with the same id."""
    results = [_result(region) for region in regions]
    senses = dict(_senses(results))
    for result, value in results:
        if "timelinelabels" in value:
            raise ValueError("its regions count frames (<TimelineLabels>), which are not read")
        labels = _list(value, "labels")
        if not labels or "start" not in value:
            continue
        start, end = (_time(value, name) for name in ("start", "end"))
        if start > end:
            raise ValueError(f"the event lasts from {start:g} to {end:g} s")
        sense = senses.get(str(result.get("id")), "unknown")
        for label in labels:
            if not isinstance(label, str):
                raise ValueError(f"a label is {label!r:.60}, not a text")
            yield Row(video_id, checked_label(label.strip()), start, end, split, sense=sense)


def _senses(results: Sequence[tuple[_Json, _Json]]) -> Iterator[tuple[str, Sense]]:
    """Yield the id of a region, and the sense that was chosen for it."""
    for result, value in results:
        for word in _list(value, "choices"):
            if isinstance(word, str) and (result.get("from_name") == "sense" or word in SENSES):
                yield str(result.get("id")), checked_sense(word)


def _result(region: object) -> tuple[_Json, _Json]:
    if not isinstance(region, dict):
        raise ValueError(f"a region is {region!r:.60}, not an object")
    value = region.get("value", {})
    if not isinstance(value, dict):
        raise ValueError(f"a region's value is {value!r:.60}, not an object")
    return region, value


def _time(value: _Json, name: str) -> float:
    time = value.get(name)
    if isinstance(time, bool) or not isinstance(time, int | float):
        raise ValueError(f"{name} is {time!r:.60}, not a time in seconds")
    return seconds(time, name)


def _notes(use_predictions: bool, n_unread: int, n_empty: int) -> Iterator[str]:
    if use_predictions:
        yield "no task of the export is annotated: its predictions are read"
    if n_unread:
        yield f"{n_unread} tasks without annotation are left out"
    if n_empty:
        yield f"{n_empty} regions without length are left out"
