"""The LLP data set of audio-visual video parsing (Tian, Li and Xu, ECCV 2020).

::

    LLP/
      AVVP_train.csv  AVVP_val_pd.csv  AVVP_test_pd.csv   filename, event_labels
      AVVP_eval_audio.csv  AVVP_eval_visual.csv           filename, onset, offset, event_labels
      videos/<filename>.mp4                               or <the 11 characters of the id>.mp4

The columns are separated by tabs. A split file has one line a clip of 10 s: its name, which is a
video's id and ``_start_end``, and the labels of the whole clip, separated by commas. The two
evaluation files have one line an event of a clip in ``val`` or ``test``: what is heard, and what is
seen, in seconds, the end exclusive.

A training clip becomes rows without times (`Row.is_whole_video`). A clip for validation or test
becomes a row of sense ``heard`` or ``seen`` for each line: what is heard and seen is two rows that
overlap, and an event is an event by either sense. Its labels in the split file, which do not always
agree with its events, are `Dataset.weak_labels`.

Left out, and counted in `Dataset.notes`: lines whose event has no length or ends before it starts,
lines that repeat another, and lines of clips that no split file names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from avloc.datasets.dataset import Dataset, Row
from avloc.datasets.fields import checked_id, checked_label, seconds
from avloc.datasets.named_columns import read_columns
from avloc.datasets.video_paths import VIDEO_FOLDERS, videos_beside
from avloc.errors import DatasetError, UnknownNameError, message_of
from avloc.labels import LabelSet
from avloc.timeline import Sense

SPLIT_FILES = {"train": "AVVP_train.csv", "val": "AVVP_val_pd.csv", "test": "AVVP_test_pd.csv"}
EVENT_FILES: dict[Sense, str] = {"heard": "AVVP_eval_audio.csv", "seen": "AVVP_eval_visual.csv"}
N_SEGMENTS = 10
CLASSES = (
    *("Speech", "Car", "Cheering", "Dog", "Cat", "Frying_(food)", "Basketball_bounce"),
    *("Fire_alarm", "Chainsaw", "Cello", "Banjo", "Singing", "Chicken_rooster", "Violin_fiddle"),
    *("Vacuum_cleaner", "Baby_laughter", "Accordion", "Lawn_mower", "Motorcycle", "Helicopter"),
    *("Acoustic_guitar", "Telephone_bell_ringing", "Baby_cry_infant_cry", "Blender", "Clapping"),
)
_NAME = re.compile(r"(.+?)_\d+(?:\.\d+)?_\d+(?:\.\d+)?")  # BjCEufrlXm4_20_30
_MOST_NAMED = 10


@dataclass
class _Lists:
    """The split files: of each clip its split, its labels and its line."""

    splits: dict[str, str] = field(default_factory=dict)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)


@dataclass
class _Events:
    """The evaluation files: the rows of each clip, and what was left out."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def is_llp(root: Path) -> bool:
    """Return whether a folder holds a split file of LLP."""
    return any((root / name).is_file() for name in SPLIT_FILES.values())


def load_llp(root: Path) -> Dataset:
    """Read LLP from the folder of its files. Missing videos are not an error."""
    lists = _Lists()
    for split, name in SPLIT_FILES.items():
        if (root / name).is_file():
            _read_list(root / name, split, lists)
    if not lists.splits:
        raise DatasetError("names no clips", root, hint=f"{SPLIT_FILES['train']} names them.")
    events = _read_events(root, lists)
    rows = [row for clip in lists.splits for row in _rows_of(clip, lists, events)]
    names = dict.fromkeys(label for labels in lists.labels.values() for label in labels)
    names |= dict.fromkeys(row.label for row in rows if row.label)
    dense = (
        () if events is None else (clip for clip in lists.splits if _is_dense(clip, lists, events))
    )
    return Dataset(
        name=root.resolve().name,
        root=root,
        labels=LabelSet(tuple(names), kind="independent"),
        rows=tuple(rows),
        videos=_videos(root, lists),
        n_segments=N_SEGMENTS,
        is_row_alone=False,
        weak_labels={clip: lists.labels[clip] for clip in dense},
        notes=() if events is None else tuple(events.notes),
    )


def _read_list(path: Path, split: str, lists: _Lists) -> None:
    for line, (clip, text) in _table(path, ("filename", "event_labels")):
        try:
            names = [name.strip() for name in text.split(",")] if text else []
            labels = tuple(dict.fromkeys(map(checked_label, names)))
            known = (lists.splits.get(checked_id(clip), split), lists.labels.get(clip, labels))
            if known != (split, labels):
                raise ValueError(f"{clip!r} is also on {lists.lines[clip]}, with other labels")
        except ValueError as error:
            raise DatasetError(str(error), path, line) from error
        lists.splits[clip], lists.labels[clip] = split, labels
        lists.lines.setdefault(clip, f"line {line} of {path.name}")


def _read_events(root: Path, lists: _Lists) -> _Events | None:
    """Return the events of both files; None if neither exists."""
    missing = [name for name in EVENT_FILES.values() if not (root / name).is_file()]
    if len(missing) == len(EVENT_FILES):
        return None
    if missing:
        raise DatasetError(f"there is no {missing[0]} beside the other evaluation file", root)
    events = _Events()
    known = {*CLASSES, *(label for labels in lists.labels.values() for label in labels)}
    for sense, name in EVENT_FILES.items():
        _read_event_file(root / name, sense, known, lists, events)
    return events


def _read_event_file(
    path: Path, sense: Sense, known: set[str], lists: _Lists, events: _Events
) -> None:
    empty, repeated, strange = [], 0, Counter[str]()
    for line, cells in _table(path, ("filename", "onset", "offset", "event_labels")):
        try:
            row = _event(*cells, known=known, sense=sense, splits=lists.splits)
        except (ValueError, UnknownNameError) as error:
            hint = getattr(error, "hint", "")
            raise DatasetError(message_of(error), path, line, hint) from error
        of_clip = events.rows.setdefault(row.video_id, [])
        if not row.is_event:
            empty.append(line)
        elif row.video_id not in lists.splits:
            strange[row.video_id] += 1
        elif row in of_clip:
            repeated += 1
        else:
            of_clip.append(row)
    events.notes += _notes(path.name, empty, repeated, strange)


def _event(
    clip: str,
    onset: str,
    offset: str,
    label: str,
    *,
    known: set[str],
    sense: Sense,
    splits: Mapping[str, str],
) -> Row:
    start, end = seconds(onset, "onset"), seconds(offset, "offset")
    if max(start, end) > N_SEGMENTS:
        raise ValueError(f"the event lasts from {onset} to {offset} s of {N_SEGMENTS}")
    if label not in known:
        raise UnknownNameError("class", label[:60], known)
    return Row(checked_id(clip), label, start, end, splits.get(clip, ""), sense=sense)


def _notes(name: str, empty: list[int], repeated: int, strange: Counter[str]) -> Iterator[str]:
    """Describe what was left out of a file."""
    if empty:
        yield (
            f"{name}: {len(empty)} of its events have an empty or negative span and are left out: "
            f"line{'s' * (len(empty) > 1)} {_listed(empty)}"
        )
    if repeated:
        yield f"{name}: {repeated} of its events repeat another and are left out"
    if strange:
        yield (
            f"{name}: {strange.total()} of its events are of clips that no split file names and "
            f"are left out: {_listed(strange)}"
        )


def _listed(names: list[int] | Counter[str]) -> str:
    shown = [str(name) for name in names][:_MOST_NAMED]
    return ", ".join([*shown, "..."][: len(names)])


def _rows_of(clip: str, lists: _Lists, events: _Events | None) -> list[Row]:
    split = lists.splits[clip]
    if events is not None and _is_dense(clip, lists, events):
        return events.rows.get(clip) or [Row(clip, "", 0.0, 0.0, split)]
    return [
        Row(clip, label, 0.0, 0.0, split, is_whole_video=True) for label in lists.labels[clip]
    ] or [Row(clip, "", 0.0, 0.0, split)]


def _is_dense(clip: str, lists: _Lists, events: _Events) -> bool:
    """Return whether a clip's events are known, even if there are none."""
    return lists.splits[clip] != "train" or bool(events.rows.get(clip))


def _videos(root: Path, lists: _Lists) -> dict[str, Path]:
    """Find the clips' videos, by their names, or by the id in their names if it has one clip."""
    beside = videos_beside(root, (*VIDEO_FOLDERS, "LLP_dataset/video"))
    ids = {clip: _id_of(clip) for clip in lists.splits}
    n_clips = Counter(ids.values())
    paths = {
        clip: beside.get(clip) or (beside.get(ids[clip]) if n_clips[ids[clip]] == 1 else None)
        for clip in lists.splits
    }
    return {clip: path for clip, path in paths.items() if path is not None}


def _id_of(clip: str) -> str:
    match = _NAME.fullmatch(clip)
    return match[1] if match else clip


def _table(path: Path, names: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    return read_columns(path, names, _NAME.pattern)
