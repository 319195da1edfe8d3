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

import numpy as np

from avloc.export.playback import no_event_scores
from avloc.timeline import ClipScore, Event, FloatArray, Timeline

JSON_SCHEMA = "avloc.localization/1"
_SENSES = ("sense", "heard", "seen")
CSV_HEADER = ("video_id", "start", "end", "label", "score", *_SENSES)
DCASE_HEADER = ("filename", "onset", "offset", "event_label", *_SENSES)


def json_text(timeline: Timeline) -> str:
    """Return the whole timeline but its attention maps, as `localization_schema` describes it.

    ``segments[t].scores``, ``heard`` and ``seen`` follow ``labels``; of exclusive labels the last
    one is background, which only ``scores`` have. ``clip_scores`` has every label, the likeliest
    first. A number that is not finite is null.
    """
    labels = timeline.labels
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
        "labels": list(labels.all_names if labels.is_exclusive else labels.names),
        "background": labels.background,
        "events": [_event(event) for event in timeline],
        "clip_scores": [_clip_score(score) for score in timeline.clip_scores()],
        "rival": None if timeline.rival is None else _clip_score(timeline.rival),
        "segments": _segments(timeline),
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
    name = _file_name(timeline)
    rows = (
        (name, _number(e.start), _number(e.end), e.label, *_senses(e).values()) for e in timeline
    )
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
        **_senses(event),
    }


def _clip_score(score: ClipScore) -> dict[str, object]:
    return {"label": score.label, "score": _number(score.score), **_by_sense(score)}


def _senses(event: Event) -> dict[str, object]:
    return {"sense": event.sense, **_by_sense(event)}


def _by_sense(of: Event | ClipScore) -> dict[str, object]:
    numbers = {"heard": of.heard, "seen": of.seen}
    return {word: None if value is None else _number(value) for word, value in numbers.items()}


def _segments(timeline: Timeline) -> list[dict[str, object]]:
    """Return what is known of each segment; its label is the likeliest, or background."""
    labels, scores = timeline.labels, timeline.scores
    classes = np.column_stack([scores, no_event_scores(timeline)])
    winners = classes.argmax(axis=1)
    shown = classes if labels.is_exclusive else scores
    senses = {"heard": timeline.heard, "seen": timeline.seen}
    gates = {"gate_visual": timeline.gate_visual, "gate_audio": timeline.gate_audio}
    return [
        {
            "start": _number(start),
            "end": _number(end),
            "label": labels.all_names[winners[t]],
            "scores": _numbers(shown[t]),
            **{name: _number(gate[t]) for name, gate in gates.items() if gate is not None},
            **{name: _numbers(said[t]) for name, said in senses.items() if said is not None},
        }
        for t, (start, end) in enumerate(timeline.grid.segment_times())
    ]


def _numbers(values: FloatArray) -> list[float | None]:
    return [_number(value) for value in values]


def _number(value: float) -> float | None:
    """Round to the microsecond; digits of a float32 beyond it are noise."""
    number = round(float(value), 6)
    return number if math.isfinite(number) else None


def _line(cells: Iterable[object], mark: str) -> str:
    """Return one line with a Unix line end; the csv module quotes only its own line end, CR LF."""
    text = io.StringIO()
    csv.writer(text, delimiter=mark, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n") + "\n"
