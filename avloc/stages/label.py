"""The stage ``label``: videos without labels in, a manifest of what a model finds out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from avloc.artifacts import check_writable, resolved, write_text
from avloc.datasets import Dataset, Row, load_manifest
from avloc.datasets.fields import is_plain, plain_name
from avloc.datasets.manifest_text import ScoredRow, check_manifest_name, manifest_text
from avloc.errors import AvlocError, MediaError, UnknownNameError, UsageError
from avloc.events import EventRules
from avloc.export.formats.saving import dumps, formats
from avloc.export.written_texts import RECORD_SUFFIX, WrittenTexts
from avloc.progress import Progress
from avloc.stages.localize.localized_video import LocalizedVideo
from avloc.stages.localize.run import localize
from avloc.timeline import Timeline

TASKS = ("label-studio",)
"""The formats of a file to correct, beside the manifest."""


@dataclass(frozen=True)
class LabelledVideos:
    """A manifest of what a model found in videos.

    Attributes:
        dataset: the manifest, as `avloc train` reads it.
        written: the files made, the manifest first.
        failed: the videos without an answer, each with its error; the manifest lacks them.
        unfound: the labels of the model that no event has.
    """

    dataset: Dataset
    written: tuple[Path, ...]
    failed: tuple[LocalizedVideo, ...]
    unfound: tuple[str, ...]


def label(
    videos: Sequence[str | Path] | str | Path,
    *,
    labels: Sequence[str] = (),
    model: str | Path | None = None,
    out: Path | str = "manifest.csv",
    format: Sequence[str] = (),
    val_share: float = 0.1,
    test_share: float = 0.1,
    threshold: float = EventRules.threshold,
    keep: float = EventRules.keep,
    min_gap: float = EventRules.min_gap,
    min_seconds: float = EventRules.min_seconds,
    min_score: float = EventRules.min_score,
    segment_seconds: float | None = None,
    device: str = "auto",
    weights: Path | None = None,
    offline: bool = False,
    artifacts: Path | str | None = None,
    progress: Progress | None = None,
    notice: Callable[[str], None] | None = None,
) -> LabelledVideos:
    """Write a manifest of the events in unlabelled videos.

    The manifest is a start: correct it, then train on it (avloc extract, avloc train). A video in
    which nothing is found is listed without an event. The column ``score`` helps to find the
    doubtful events; it is ignored when the manifest is read.

    A manifest is replaced only if it is exactly as avloc wrote it, never after a correction.

    Args:
        videos: Videos, sound files, or folders of them.
        labels: What to look for; of the model open, in any words. Default: all labels of the
            model.
        model: A model's name in the workspace, or a model file. Default: that of avloc localize.
        out: The manifest to write: .csv, .tsv or .jsonl.
        format: Also write tasks to correct in this format, beside the manifest.
        val_share: Share of the videos in the split val.
        test_share: Share of the videos in the split test. The split of a video follows from its
            id alone, so it stays when videos are added.
        threshold: A label is an event where its score reaches this. 0: the model's own
            thresholds.
        keep: An event continues while its label has this score.
        min_gap: Join events of one label that are fewer seconds apart.
        min_seconds: Drop events shorter than this.
        min_score: Drop events with a lower score.
        segment_seconds: Length of a segment of the model open. Default: 1.
        device: Where the networks run.
        weights: A folder with weight files, searched before any download.
        offline: Never use the network.
        artifacts: The workspace folder. Default: ``$AVLOC_ARTIFACTS``, or ./artifacts.
        progress: called with (videos done, videos, what); the first may be a fraction.
        notice: called with lines about the model open, before the first video.

    Raises:
        OutputError: the manifest exists and was corrected, or was not written by avloc.
        AvlocError: an argument is invalid, a model cannot be loaded, or no video has an answer.
    """
    out = Path(out)
    _check_shares(val_share, test_share)
    check_manifest_name(out)
    for name in format:
        if name not in TASKS:
            raise UnknownNameError("format of tasks", name, TASKS)
    files = [out, *(out.with_name(out.stem + formats()[name]) for name in format)]
    record = WrittenTexts(out.with_name(out.stem + RECORD_SUFFIX))
    for path in files:
        record.refuse_unrecorded(path)
        check_writable(path)
    chosen: dict[str, Any] = {} if model is None else {"model": model}
    answers = localize(
        videos,
        **chosen,
        labels=labels,
        threshold=threshold,
        keep=keep,
        min_gap=min_gap,
        min_seconds=min_seconds,
        min_score=min_score,
        segment_seconds=segment_seconds,
        device=device,
        weights=weights,
        offline=offline,
        artifacts=artifacts,
        write=False,
        progress=progress,
        notice=notice,
    )
    answers = [_nameable(answer) for answer in answers]
    timelines = [answer.timeline for answer in answers if answer.timeline is not None]
    failed = tuple(answer for answer in answers if answer.error is not None)
    if not timelines:
        first = failed[0].error or AvlocError("no video has an answer")
        raise AvlocError(f"no video has an answer. The first: {first.message}", first.hint)
    found = _distinct(timelines)
    splits = {t.video_id: split_of(t.video_id, val_share, test_share) for t in found}
    sources = {t.video_id: Path(t.source) for t in found}
    rows = [row for timeline in found for row in _rows(timeline, splits[timeline.video_id])]
    texts = [manifest_text(rows, sources, out)]
    texts += [_tasks(found, splits, name) for name in format]
    for path, text in zip(files, texts, strict=True):
        with record.writing(path):
            write_text(path, text)
    dataset = load_manifest(out)
    asked = labels or timelines[0].labels.names
    unfound = tuple(name for name in asked if name not in dataset.labels.names)
    return LabelledVideos(dataset, tuple(files), failed, unfound)


def split_of(video_id: str, val_share: float, test_share: float) -> str:
    """Return the split of a video: a hash of its id is equally likely anywhere in [0, 1)."""
    number = int.from_bytes(hashlib.sha256(video_id.encode()).digest()[:8]) / 2**64
    if number < test_share:
        return "test"
    return "val" if number < test_share + val_share else "train"


def _check_shares(val_share: float, test_share: float) -> None:
    if not (val_share >= 0 and test_share >= 0 and val_share + test_share < 1):
        raise UsageError(
            f"shares of {val_share:g} and {test_share:g} leave no video to train on",
            "Shares are at least 0, and less than 1 together.",
        )


def _nameable(answer: LocalizedVideo) -> LocalizedVideo:
    """Return an answer, or an error if no line of a manifest can name its video."""
    path = str(resolved(answer.video))
    if answer.timeline is None or (is_plain(path) and path == path.strip()):
        return answer
    error = MediaError(f"a manifest cannot name the file {path!r:.200}", "Rename it.")
    return replace(answer, timeline=None, error=error)


def _distinct(timelines: Sequence[Timeline]) -> list[Timeline]:
    """Return the timelines with ids that can be file names, each its own."""
    distinct: dict[str, Timeline] = {}
    for timeline in timelines:
        parts = PurePath(timeline.video_id).parts
        is_path = len(parts) > 1  # where names repeat
        text = "__".join(part for part in parts if part != "/") if is_path else timeline.video_id
        name = stem = plain_name(text)
        number = 1
        while name in distinct:
            number += 1
            name = f"{stem}-{number}"
        distinct[name] = replace(timeline, video_id=name)
    return list(distinct.values())


def _rows(timeline: Timeline, split: str) -> list[ScoredRow]:
    """Return a video's events as rows, or a row without an event.

    Exclusive labels have no sense: a manifest that names one has independent labels.
    """
    if not timeline.events:
        return [ScoredRow(Row(timeline.video_id, "", 0.0, 0.0, split))]
    is_exclusive = timeline.labels.is_exclusive
    return [
        ScoredRow(
            Row(
                timeline.video_id,
                event.label,
                event.start,
                event.end,
                split,
                sense="unknown" if is_exclusive else event.sense,
            ),
            event.score,
        )
        for event in timeline.events
    ]


def _tasks(timelines: Sequence[Timeline], splits: dict[str, str], format: str) -> str:
    """Return the tasks of all videos as one list, each with its split."""
    tasks = []
    for timeline in timelines:
        for task in json.loads(dumps(timeline, format)):
            task["data"]["split"] = splits[timeline.video_id]
            tasks.append(task)
    return json.dumps(tasks, ensure_ascii=False, indent=2) + "\n"
