"""Files of older versions are read as they were written, or refused with what makes them anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from examples import SPEC, features, model
from format1_files import new_file_1, write_old_features, write_old_model
from format2_files import (
    write_comparison_2,
    write_features_2,
    write_localization_2,
    write_model_2,
    write_predictions_2,
)
from test_roundtrip import KINDS, assert_same

from avloc import artifacts
from avloc.artifacts import FeatureStore, check_artifact, describe, localization_key
from avloc.errors import ArtifactError, NewerSchemaError

READ = [
    *(("features", write, features()) for write in (write_old_features, write_features_2)),
    *(
        ("model", write, replace(model(), thresholds=(), sense_thresholds=()))
        for write in (write_old_model, write_model_2)
    ),
]
REFUSED = {
    "predictions": ("avloc eval", write_predictions_2),
    "localization": ("avloc localize", write_localization_2),
    "comparison": ("avloc reproduce", None),
}


@pytest.mark.parametrize(("kind", "write", "example"), READ)
def test_features_and_models_are_read_as_they_were_written(
    kind: str, write: Callable[[Path, Any], None], example: Any, tmp_path: Path
) -> None:
    path = tmp_path / "file.h5"
    write(path, example)
    assert_same(example, KINDS[kind][1](path))
    assert describe(path).kind == kind
    assert check_artifact(path) == write.__name__.endswith("_2")  # format 1 has no digest


def test_a_comparison_of_version_2_is_read(tmp_path: Path) -> None:
    write_comparison_2(tmp_path / "table1.h5")
    read = artifacts.read_comparison(tmp_path / "table1.h5")
    assert read.titles == ("A",)
    assert read.metrics["segment_accuracy"].tolist() == [[0.5]]
    assert np.isnan(read.paper).all()


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("kind", REFUSED)
def test_others_are_refused_with_the_command_that_makes_them_anew(
    kind: str, version: int, tmp_path: Path
) -> None:
    command, write_2_of_kind = REFUSED[kind]
    path = tmp_path / "file.h5"
    if version == 1:
        new_file_1(path, kind).close()
    elif write_2_of_kind is not None:
        write_2_of_kind(path)
    else:
        return  # a comparison of version 2 is read
    for read in (KINDS[kind][1], describe, check_artifact):
        with pytest.raises(ArtifactError) as caught:
            read(path)
        assert caught.value.message.startswith(f"{path} has schema avloc.{kind}/{version}")
        assert command in caught.value.hint
        assert "\n" not in str(caught.value)


def test_an_older_answer_has_no_key_so_it_is_made_anew(tmp_path: Path) -> None:
    write_localization_2(tmp_path / "clip.avloc.h5", key="f00d")
    assert localization_key(tmp_path / "clip.avloc.h5") == ""


@pytest.mark.parametrize("kind", KINDS)
def test_a_newer_file_is_refused_by_its_schema(kind: str, tmp_path: Path) -> None:
    write, read, example = KINDS[kind]
    path = tmp_path / "file.h5"
    write(path, example())
    with h5py.File(path, "r+") as file:
        written = file.attrs["schema"].decode()
        file.attrs["schema"] = np.bytes_(newer := f"{written[:-1]}{int(written[-1]) + 1}")
    with pytest.raises(NewerSchemaError, match=f"{newer}; this avloc reads up to {written[-1]}"):
        read(path)


def test_a_store_holds_features_of_several_versions(tmp_path: Path) -> None:
    store = FeatureStore.create(tmp_path, SPEC)
    store.write(features("new"))
    write_features_2(store.path_of("second"), features("second"))
    write_old_features(store.path_of("first"), features("first"))
    assert store.video_ids() == ["first", "new", "second"]
    for video_id in store.video_ids():
        assert video_id in store  # so it is not extracted again
        assert_same(store.read(video_id), features(video_id))


def test_a_model_from_before_calibration_divides_by_one(tmp_path: Path) -> None:
    write_old_model(tmp_path / "m.h5", model())
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        del file.attrs["temperature"]
    assert artifacts.read_model(tmp_path / "m.h5").temperatures == (1.0,)


@pytest.mark.parametrize("temperature", [0, -1.0, "1", None, [1.0], float("nan")])
def test_a_damaged_temperature_of_version_2_is_refused(temperature: object, tmp_path: Path) -> None:
    write_model_2(tmp_path / "m.h5", model(), temperature=temperature)
    with pytest.raises(ArtifactError, match="temperature"):
        artifacts.read_model(tmp_path / "m.h5")
