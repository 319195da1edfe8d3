"""A timeline as data: JSON, JSON lines, CSV and DCASE's tab-separated table."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path, PurePosixPath

from avloc.timeline import Event, Timeline

JSON_SCHEMA = "avloc.localization/1"
CSV_HEADER = ("video_id", "start", "end", "label", "score")
DCASE_HEADER = ("filename", "onset", "offset", "event_label")


def json_text(timeline: Timeline) -> str:
    """Return the whole timeline but its attention maps, as `localization_schema` describes it.

    ``segments[t].scores`` follows ``labels``, background last; a number that is not finite is
    null.
    """
    document = {
        "schema": JSON_SCHEMA,
        "avloc_version": version("avloc"),
        "video_id": timeline.video_id,
        "source": timeline.source,
        "duration": _number(timeline.duration),
        "frame_size": list(timeline.frame_size) if timeline.frame_size else None,
        "model": timeline.model,
        "fingerprint": timeline.fingerprint,
        "flags": list(timeline.flags),
        "labels": list(timeline.labels.all_names),
        "background": timeline.labels.background,
        "events": [_event(event) for event in timeline],
        "segments": [
            _segment(timeline, t, *times) for t, times in enumerate(timeline.grid.segment_times())
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def localization_schema() -> dict[str, object]:
    """Return the JSON Schema (2020-12) of what `json_text` gives."""
    text = (files("avloc.export.formats") / "localization.schema.json").read_text("utf-8")
    schema: dict[str, object] = json.loads(text)
    return schema


def jsonl_text(timeline: Timeline) -> str:
    """Return one event per line, each with its video, so that files can be joined."""
    rows = ({"video_id": timeline.video_id, **_event(event)} for event in timeline)
    return "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)


def csv_text(timeline: Timeline) -> str:
    """Return the events as CSV with a header line."""
    rows = ((timeline.video_id, *_event(event).values()) for event in timeline)
    return "".join(_line(row, ",") for row in (CSV_HEADER, *rows))


def dcase_text(timeline: Timeline) -> str:
    """Return the events as DCASE's sound event table, tab-separated, with its header line."""
    rows = ((_file_name(timeline), _number(e.start), _number(e.end), e.label) for e in timeline)
    return "".join(_line(row, "\t") for row in (DCASE_HEADER, *rows))


def _file_name(timeline: Timeline) -> str:
    """Return the file's name, with the folders in its video's id."""
    name = Path(timeline.source).name
    folder = PurePosixPath(timeline.video_id).parent
    return (folder / name).as_posix() if name else timeline.video_id


def _event(event: Event) -> dict[str, object]:
    return {
        "start": _number(event.start),
        "end": _number(event.end),
        "label": event.label,
        "score": _number(event.score),
    }


def _segment(timeline: Timeline, t: int, start: float, end: float) -> dict[str, object]:
    winner = timeline.labels.all_names[int(timeline.scores[t].argmax())]
    gates = {"gate_visual": timeline.gate_visual, "gate_audio": timeline.gate_audio}
    return {
        "start": _number(start),
        "end": _number(end),
        "label": winner,
        "scores": [_number(score) for score in timeline.scores[t]],
        **{name: _number(gate[t]) for name, gate in gates.items() if gate is not None},
    }


def _number(value: float) -> float | None:
    """Round to the microsecond; digits of a float32 beyond it are noise."""
    number = round(float(value), 6)
    return number if math.isfinite(number) else None


def _line(cells: Iterable[object], mark: str) -> str:
    """Return one line with a Unix line end; the csv module quotes only its own line end, CR LF."""
    text = io.StringIO()
    csv.writer(text, delimiter=mark, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n") + "\n"
