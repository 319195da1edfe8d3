"""Two files of one model answer alike, and have one identity."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples import LABELS, SPEC, model
from format1_files import write_old_model
from format2_files import write_model_2

from avloc.artifacts import ModelFile, model_identity, write_model
from avloc.errors import ArtifactError, WrongKindError
from avloc.labels import LabelSet


def identity(path: Path, of: ModelFile) -> str:
    write_model(path, of)
    return model_identity(path)


@pytest.mark.parametrize(
    "change",
    [
        {"metrics": {"val_accuracy": 0.1}},
        {"history": {"epoch": [1.0], "seconds": [99.0]}},
        {"seed": 4},
        {"data": {"name": "elsewhere"}},
        {"training": {"epochs": 7}},
        {"resume": {}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_when_and_how_long_it_was_trained_does_not_matter(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    first = identity(tmp_path / "a.h5", model())
    assert identity(tmp_path / "b.h5", replace(model(), **change)) == first


@pytest.mark.parametrize(
    "change",
    [
        {"name": "avel"},
        {"config": {**model().config, "spatial": False}},
        {"weights": {**model().weights, "tau": np.array(np.nextafter(2.3, 3))}},
        {"weights": {"head.weight": model().weights["head.weight"]}},
        {"weights": {**model().weights, "head.weight": model().weights["head.weight"].T}},
        {"labels": LabelSet(("Kirchenglocke, groß", "bark"))},
        {"spec": replace(SPEC, fps=16)},
        {"n_segments": 20},
        {"segment_seconds": 0.5},
        {"temperatures": (1.0,)},
        {"thresholds": (0.25, 0.75)},
        {"sense_thresholds": ()},
        {"labels": replace(LABELS, kind="independent")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_all_that_answers_follow_from_matters(tmp_path: Path, change: dict[str, Any]) -> None:
    first = identity(tmp_path / "a.h5", model())
    assert identity(tmp_path / "b.h5", replace(model(), **change)) != first


@pytest.mark.parametrize("write", [write_old_model, write_model_2])
def test_an_older_file_has_the_same(write: Callable[[Path, ModelFile], None], tmp_path) -> None:
    write(tmp_path / "old.h5", model())
    same = replace(model(), thresholds=(), sense_thresholds=())
    assert model_identity(tmp_path / "old.h5") == identity(tmp_path / "new.h5", same)


def test_it_is_read_without_torch(tmp_path: Path) -> None:
    write_model(tmp_path / "a.h5", model())
    code = (
        "import sys; from avloc.artifacts import model_identity; "
        f"model_identity({str(tmp_path / 'a.h5')!r}); print('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_what_is_not_a_model_has_no_identity(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        model_identity(tmp_path / "none.h5")
    with pytest.raises(WrongKindError):
        model_identity(tmp_path)
