"""A writer refuses what its reader would, by name, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples import comparison, features, model, predictions, timeline

from avloc import artifacts
from avloc.artifacts import FeatureWriter
from avloc.errors import ArtifactError
from avloc.timeline import Event


def filled(array: Any, value: float) -> Any:
    changed = np.array(array)
    changed.reshape(-1)[-1] = value
    return changed


NAN, INF = float("nan"), float("inf")
WEIGHTS = model().weights
REFUSED: dict[str, tuple[Callable[[Path, Any], Any], Any, str]] = {
    "visual": (
        artifacts.write_features,
        replace(features(), visual=filled(features().visual, NAN)),
        "visual holds NaN or infinity",
    ),
    "audio": (
        artifacts.write_features,
        replace(features(), audio=filled(features().audio, -INF)),
        "audio holds NaN or infinity",
    ),
    "weights": (
        artifacts.write_model,
        replace(model(), weights={**WEIGHTS, "head.weight": filled(WEIGHTS["head.weight"], NAN)}),
        "weights/head.weight holds NaN or infinity",
    ),
    "unfinished": (
        artifacts.write_model,
        replace(model(), resume={"weights.tau": np.array(INF)}),
        "resume/weights.tau holds NaN or infinity",
    ),
    "scores": (
        artifacts.write_predictions,
        replace(predictions(), scores=filled(predictions().scores, NAN)),
        "scores holds NaN",
    ),
    "attention": (
        artifacts.write_localization,
        replace(timeline(), attention=filled(timeline().attention, NAN)),
        "attention holds NaN",
    ),
    "event": (artifacts.write_localization, timeline((Event(0, 1, "bark", NAN),)), "score"),
    "event without end": (
        artifacts.write_localization,
        timeline((Event(0.0, INF, "bark", 0.5),)),
        "lasts from 0.0 to inf",
    ),
    "event of another label": (
        artifacts.write_localization,
        timeline((Event(0, 1, "meow", 0.5),)),
        "meow",
    ),
    "negative duration": (
        artifacts.write_features,
        replace(features(), duration=-5.0),
        "duration is -5.0, not from 0",
    ),
    "times that stand still": (
        artifacts.write_features,
        replace(features(), segment_times=np.zeros((3, 2))),
        "segment_times do not run forward",
    ),
    "long header": (
        artifacts.write_predictions,
        replace(predictions(), video_ids=("x" * 2**22, "y")),
        "its header has 41",
    ),
    "name that is not text": (
        artifacts.write_features,
        replace(features(), source="\udcff.mp4"),
        "cannot be UTF-8",
    ),
    "number of ids": (
        artifacts.write_predictions,
        replace(predictions(), video_ids=("a",)),
        "scores has the shape (2, 4, 2), not (R=1, T, C=2)",
    ),
    "truth": (
        artifacts.write_predictions,
        replace(predictions(), truth=np.ones((2, 4, 3), bool)),
        "truth has the shape (2, 4, 3), not (R=2, T=4, C=2)",
    ),
    "truth in numbers": (
        artifacts.write_predictions,
        replace(predictions(), true_heard=np.ones((2, 4, 2), np.int8)),
        "true_heard holds int8",
    ),
    "too many tensors": (
        artifacts.write_model,
        replace(model(), weights={str(n): np.zeros(1) for n in range(4097)}),
        "more than 4096",
    ),
    "tensor of a path": (
        artifacts.write_model,
        replace(model(), weights={"a/b": np.zeros(1)}),
        "other arrays than its header lists",
    ),
    "complex tensor": (
        artifacts.write_model,
        replace(model(), weights={"a": np.zeros(1, np.complex64)}),
        "complex64",
    ),
    "window": (artifacts.write_model, replace(model(), n_segments=0), "n_segments"),
    "number of rows": (
        artifacts.write_comparison,
        replace(comparison(), paper=np.zeros(5)),
        "paper has the shape (5,)",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_reader_would_take_is_not_written(tmp_path: Path, name: str) -> None:
    write, thing, reason = REFUSED[name]
    path = tmp_path / "a.h5"
    with pytest.raises(ArtifactError) as refused:
        write(path, thing)
    assert str(refused.value).startswith(f"{path} cannot be written: ")
    assert reason in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_segments_are_refused_as_they_come(tmp_path: Path) -> None:
    whole = features(n=20)
    writer = FeatureWriter(tmp_path / "a.h5", whole.n_segments)
    writer.put_visual(whole.visual[:4])
    with pytest.raises(ArtifactError, match=r"a\.h5 cannot be written: visual holds NaN"):
        writer.put_visual(filled(whole.visual[4:8], NAN))
    assert list(tmp_path.iterdir()) == []


def test_nan_is_allowed_where_it_means_no_value(tmp_path: Path) -> None:
    artifacts.write_comparison(tmp_path / "c.h5", comparison())
    assert np.isnan(artifacts.read_comparison(tmp_path / "c.h5").paper[1])
    odd = replace(model(), history={"epoch": [1.0], "val_loss": [NAN]})
    artifacts.write_model(tmp_path / "m.h5", odd)
    assert np.isnan(artifacts.read_model(tmp_path / "m.h5").history["val_loss"][0])


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    numpys = replace(
        model(),
        seed=np.int64(3),
        metrics={"val_accuracy": np.float32(0.75)},
        temperatures=(np.float64(2),),
    )
    artifacts.write_model(tmp_path / "m.h5", numpys)
    assert artifacts.read_model(tmp_path / "m.h5").metrics == {"val_accuracy": 0.75}


def test_several_thousand_video_ids_fit(tmp_path: Path) -> None:
    n_rows = 50_000
    scores = np.ones((n_rows, 1, 2), np.float32)
    large = replace(
        predictions(),
        **dict.fromkeys(("scores", "heard", "seen"), scores),
        **dict.fromkeys(("truth", "true_heard", "true_seen"), scores > 0),
        scored=np.ones((n_rows, 1), bool),
        **dict.fromkeys(("has_sound", "has_picture"), np.ones(n_rows, bool)),
        rows=np.arange(n_rows),
        durations=np.ones(n_rows),
        video_ids=tuple(f"{n:011}" for n in range(n_rows)),
        gate_visual=None,
    )
    artifacts.write_predictions(tmp_path / "p.h5", large)
    assert artifacts.read_predictions(tmp_path / "p.h5").video_ids == large.video_ids
