"""A manifest as text: what `avloc label` writes and `load_manifest` reads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from avloc.datasets.dataset import Row
from avloc.datasets.manifest import MANIFEST_SUFFIXES
from avloc.errors import UnknownNameError

_FIELDS = ("video", "label", "start", "end", "split", "id", "sense", "score")


@dataclass(frozen=True)
class ScoredRow:
    """A row of a manifest and the score of its event; None without an event."""

    row: Row
    score: float | None = None


def check_manifest_name(path: Path) -> None:
    """Raise an `UnknownNameError` if a path's suffix is not a manifest's."""
    if path.suffix.lower() not in MANIFEST_SUFFIXES:
        raise UnknownNameError("manifest with the suffix", path.suffix, MANIFEST_SUFFIXES)


def manifest_text(rows: Iterable[ScoredRow], videos: Mapping[str, Path], path: Path) -> str:
    """Return the text of a manifest, in the format of its path's suffix.

    Args:
        rows: in the order of the lines.
        videos: the file of each video id. Those below the manifest's folder are named relative
            to it, the others by their absolute path.
        path: where the manifest will be.
    """
    named = {name: _name_of(video, path.parent) for name, video in videos.items()}
    records = [_record(scored, named[scored.row.video_id]) for scored in rows]
    if path.suffix.lower() == ".jsonl":
        return "".join(_json_lines(records))
    text = io.StringIO()
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerows([_FIELDS, *(["" if v is None else v for v in r] for r in records)])
    return text.getvalue()


def _name_of(video: Path, folder: Path) -> str:
    video, folder = video.resolve(), folder.resolve()
    return str(video.relative_to(folder) if video.is_relative_to(folder) else video)


def _record(scored: ScoredRow, video: str) -> list[str | float | None]:
    row = scored.row
    sense = "" if row.sense == "unknown" else row.sense
    if not row.is_event:
        return [video, "", None, None, row.split, row.video_id, "", None]
    times = (_number(row.start, 3), _number(row.end, 3))
    score = None if scored.score is None else _number(scored.score, 4)
    return [video, row.label, *times, row.split, row.video_id, sense, score]


def _number(value: float, digits: int) -> float:
    rounded = round(float(value), digits)
    return int(rounded) if rounded.is_integer() else rounded


def _json_lines(records: Iterable[list[str | float | None]]) -> Iterator[str]:
    for record in records:
        pairs = zip(_FIELDS, record, strict=True)
        known = {name: value for name, value in pairs if value not in ("", None)}
        yield json.dumps(known, ensure_ascii=False) + "\n"
