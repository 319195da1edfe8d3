"""The lines of a manifest as records: CSV, TSV or JSON lines, in avloc's or DCASE's field names."""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from avloc.datasets.fields import numbered_lines, read_text
from avloc.errors import DatasetError, UnknownNameError

FIELDS = ("video", "label", "start", "end", "split", "id", "sense")
FIELDS_HINT = f"The fields are {', '.join(FIELDS)}."
_SYNONYMS = {  # of avloc's exported tables, and of DCASE's
    "video_id": "id",
    "filename": "video",
    "onset": "start",
    "offset": "end",
    "event_label": "label",
}
_ANSWERS = ("score", "heard", "seen")  # what an exported table says besides its events
_OTHER_WORDS = ("scene",)  # near a field's name, and not a misspelling

Record = dict[str, str | float]


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as pairs: a dict would lose a field that is named twice."""


def read_records(path: Path, ignored: dict[str, None]) -> Iterator[tuple[int, Record]]:
    """Yield the line number and the fields of each row; add the names of the others to ignored."""
    records = _jsonl_records if path.suffix.lower() == ".jsonl" else _csv_records
    return records(path, ignored)


def _csv_records(path: Path, ignored: dict[str, None]) -> Iterator[tuple[int, Record]]:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    text = io.StringIO(read_text(path), newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    header: list[str] = []
    fields: list[str] = []
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not any(cells) or cells == header:  # the header again: exported files, joined
                continue
            if not header:
                header = cells
                fields = _fields_of(header, path, reader.line_num, ignored)
                continue
            if len(cells) != len(header):
                message = f"has {len(cells)} fields, the first line names {len(header)}"
                raise DatasetError(message, path, reader.line_num)
            yield reader.line_num, dict(zip(fields, cells, strict=True))
    except csv.Error as error:
        raise DatasetError(f"is not CSV: {error}", path, reader.line_num) from error


def _jsonl_records(path: Path, ignored: dict[str, None]) -> Iterator[tuple[int, Record]]:
    for line, text in numbered_lines(read_text(path)):
        try:
            pairs = json.loads(text, object_pairs_hook=_Pairs)
        except (ValueError, RecursionError) as error:
            raise DatasetError(f"is not JSON: {error}", path, line) from error
        if not isinstance(pairs, _Pairs):
            raise DatasetError("is not a JSON object", path, line)
        fields = _fields_of([name for name, _ in pairs], path, line, ignored)
        record: Record = {}
        for field, (name, value) in zip(fields, pairs, strict=True):
            if field in FIELDS:
                record[field] = _plain_value(name, value, path, line)
        yield line, record


def _plain_value(name: str, value: object, path: Path, line: int) -> str | float:
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        raise DatasetError(f"{name} is {value!r:.60}", path, line)
    return "" if value is None else value


def _fields_of(names: list[str], path: Path, line: int, ignored: dict[str, None]) -> list[str]:
    """Return what each name means; refuse a misspelling, and add the other names to ignored."""
    fields = [_SYNONYMS[n] if n in _SYNONYMS and _SYNONYMS[n] not in names else n for n in names]
    others = [name for name in fields if name not in (*FIELDS, *_ANSWERS)]
    absent = [name for name in FIELDS if name not in fields]
    long_enough = [name for name in absent if len(name) > 3]
    for name in others:
        lower = name.lower()[:60]
        near = difflib.get_close_matches(lower, long_enough, 1, 0.8)
        is_plural = lower == "event_labels" and "label" in absent  # DCASE's weak table
        if lower in absent or (near and lower not in _OTHER_WORDS) or is_plural:
            error = UnknownNameError("manifest field", name[:60], FIELDS)
            raise DatasetError(error.message, path, line, error.hint)
    if len(set(fields)) < len(fields):
        raise DatasetError("names a field twice", path, line)
    if "video" not in fields and "id" not in fields:
        raise DatasetError("names no video", path, line, FIELDS_HINT)
    ignored |= dict.fromkeys(others)
    return fields
