"""The lines that ``avloc eval`` prints without a model, from the real files by our readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avloc.artifacts import Predictions
from avloc.datasets import Dataset, load_dataset
from avloc.evaluation.event_evaluation import (
    KNOWN,
    KNOWN_BY_SENSE,
    MODEL,
    NOTHING,
    EventEvaluation,
    measure_events,
)
from avloc.evaluation.parsing_f1 import ParsedSenses
from avloc.evaluation.split_answers import Answers
from avloc.timeline import Grid

pytestmark = pytest.mark.real


def of_a_silent_model(dataset: Dataset, majority: str = "") -> EventEvaluation:
    """Evaluate a model that never answers on the test split; its videos need not exist."""
    rows = [row for _, row in dataset.split("test")]
    targets = [dataset.targets(row, Grid(10)) for row in rows]
    events, heard, seen = (
        np.stack([getattr(of, name) for of in targets]) for name in ("events", "heard", "seen")
    )
    ids = tuple(row.video_id for row in rows)
    predictions = Predictions(
        scores=np.zeros(events.shape, np.float32),
        truth=events,
        scored=np.stack([of.scored for of in targets]),
        video_ids=ids,
        rows=np.arange(len(rows)),
        labels=dataset.labels,
        split="test",
        model="silent",
        fingerprint="none",
        durations=np.full(len(rows), 10.0),
        true_heard=heard,
        true_seen=seen,
    )
    answers = Answers(
        events=[()] * len(rows),
        true_events=[dataset.events_of(name) or () for name in ids],
        knows_times=np.ones(len(rows), bool),
        senses=ParsedSenses(np.zeros_like(events), np.zeros_like(events)),
        present=np.stack([dataset.present(row) for row in rows]),
        clip_labels=tuple(row.label for row in rows),
        seconds=np.full(len(rows), 10.0),
    )
    return measure_events(
        predictions, answers, majority_label=majority, groups=dataset.label_groups
    )


def folder(real_data: Path, name: str) -> Path:
    path = real_data / "annotations" / name
    if not path.is_dir():
        pytest.skip(f"no annotation at {path}")
    return path


def test_llp(real_data: Path) -> None:
    found = of_a_silent_model(load_dataset(folder(real_data, "llp")), "Speech")
    columns = ("audio", "visual", "audio_visual", "type", "event")
    lines = {
        name: [round(100 * getattr(f1, column), 1) for column in columns]
        for name, f1 in found.parsing["segment"].items()
    }
    assert lines == {
        MODEL: [0.5, 10.1, 14.5, 8.4, 0.0],
        NOTHING: [0.5, 10.1, 14.5, 8.4, 0.0],
        KNOWN: [76.1, 60.3, 52.6, 63.0, 71.7],
        KNOWN_BY_SENSE: [80.1, 89.8, 82.8, 84.2, 82.0],
        "always 'Speech'": [16.6, 4.1, 4.3, 8.3, 10.6],
    }
    assert found.precision[MODEL].average == 0
    assert 0 < found.precision["always 'Speech'"].at(0.5) < found.precision[KNOWN].at(0.5)


def test_ov_avebench(real_data: Path) -> None:
    found = of_a_silent_model(load_dataset(folder(real_data, "ov-avel")))
    total = {
        name: [round(100 * n, 1) for n in (of.accuracy, of.segment_f1, of.event_f1)]
        for name, of in found.clips["total"].items()
    }
    assert total == {
        MODEL: [38.5, 33.5, 28.7],  # its background is what no label has
        "class of each clip known, everywhere": [61.5, 54.0, 50.1],
        "always background": [38.5, 33.5, 28.7],
    }
    sizes = {group: of[MODEL].n_clips for group, of in found.clips.items()}
    assert sizes == {"close": 1664, "open": 4156, "total": 5820}
