"""What is written is what is read, for every kind, in files that any HDF5 reader understands."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from examples import LABELS, SPEC, comparison, features, model, predictions, timeline
from xxhash import xxh3_128_hexdigest

from avloc import artifacts
from avloc.artifacts import FeatureStore, describe

KINDS = {
    "features": (artifacts.write_features, artifacts.read_features, features),
    "model": (artifacts.write_model, artifacts.read_model, model),
    "predictions": (artifacts.write_predictions, artifacts.read_predictions, predictions),
    "localization": (artifacts.write_localization, artifacts.read_localization, timeline),
    "comparison": (artifacts.write_comparison, artifacts.read_comparison, comparison),
}
VERSIONS = {"features": 2, "model": 3, "predictions": 3, "localization": 3, "comparison": 2}


def assert_same(one: Any, other: Any) -> None:
    """Compare dataclasses field by field, arrays by value and type."""
    for field in dataclasses.fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=field.name)
            assert a.dtype == b.dtype, field.name
        elif isinstance(a, dict) and any(isinstance(v, np.ndarray) for v in a.values()):
            assert a.keys() == b.keys()
            for name in a:
                np.testing.assert_array_equal(a[name], b[name])
        else:
            assert a == b, field.name


@pytest.mark.parametrize("kind", KINDS)
def test_read_gives_what_was_written(kind: str, tmp_path: Path) -> None:
    write, read, example = KINDS[kind]
    write(tmp_path / "file.h5", example())
    assert_same(example(), read(tmp_path / "file.h5"))


@pytest.mark.parametrize("kind", KINDS)
def test_digest_is_that_of_the_documented_bytes(kind: str, tmp_path: Path) -> None:
    write, _, example = KINDS[kind]
    write(tmp_path / "file.h5", example())
    with h5py.File(tmp_path / "file.h5") as file:
        stamps = [file.attrs[name] for name in ("schema", "avloc_version", "created")]
        header = file["header"][:].tobytes()
        assert file.attrs["digest"].decode() == xxh3_128_hexdigest(b"\n".join([*stamps, header]))
        for name, listed in json.loads(header)["arrays"].items():
            array = file[name][()]
            assert listed == {
                "dtype": array.dtype.str,
                "shape": list(array.shape),
                "xxh3_128": xxh3_128_hexdigest(array.tobytes()),
            }


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_of_variable_length(kind: str, tmp_path: Path) -> None:
    write, _, example = KINDS[kind]
    write(tmp_path / "file.h5", example())
    assert b"GCOL" not in (tmp_path / "file.h5").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_file_says_what_it_is(kind: str, tmp_path: Path) -> None:
    write, _, example = KINDS[kind]
    write(tmp_path / "file.h5", example())
    with h5py.File(tmp_path / "file.h5") as file:
        assert file.attrs["schema"].decode() == f"avloc.{kind}/{VERSIONS[kind]}"
        assert file.attrs["avloc_version"]
        assert file.attrs["created"].decode().endswith("+00:00")


def test_absent_stream_is_absent_not_zero(tmp_path: Path) -> None:
    silent = dataclasses.replace(features(), audio=None, audio_valid=np.zeros(3, bool))
    artifacts.write_features(tmp_path / "silent.h5", silent)
    with h5py.File(tmp_path / "silent.h5") as file:
        assert "audio" not in file
    assert artifacts.read_features(tmp_path / "silent.h5").audio is None


def test_timeline_without_events_keeps_none(tmp_path: Path) -> None:
    artifacts.write_localization(tmp_path / "quiet.h5", timeline(events=()))
    assert artifacts.read_localization(tmp_path / "quiet.h5").events == ()


def test_features_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="audio has 2 segments"):
        dataclasses.replace(features(), audio=np.zeros((2, 4), np.float32))


@pytest.mark.parametrize("kind", KINDS)
def test_describe_names_the_kind_and_what_is_in_it(kind: str, tmp_path: Path) -> None:
    write, _, example = KINDS[kind]
    write(tmp_path / "file.h5", example())
    description = describe(tmp_path / "file.h5")
    assert description.kind == kind
    shown = str(description.facts) + str(description.table)
    expected = {
        "features": ("-clip", "(3, 2, 2, 5)", "float16", "rotated, padded", "'spec: fps': '4'"),
        "model": ("Kirchenglocke, groß", "'n_segments': '10'", "0.75", "head.weight", "25"),
        "predictions": ("(2, 4, 2)", "float32", "test", "bark"),
        "localization": ("0.75", "bark", "no_audio", "1.4"),
        "comparison": ("table1", "0.822", "argmax per segment", "metrics/pointing", "(2, 3)"),
    }[kind]
    assert [word for word in expected if word not in shown] == []
    assert description.facts["schema"] == f"avloc.{kind}/{VERSIONS[kind]}"


def test_describe_store_lists_failures(tmp_path: Path) -> None:
    store = FeatureStore.create(tmp_path, SPEC, "data/AVE")
    store.write(features())
    store.record_failure("broken", "broken.mp4", "no index")
    description = describe(tmp_path)
    assert description.facts["videos"] == "1"
    assert description.table == [{"failed video": "broken", "reason": "no index"}]


def test_describe_an_unfinished_model_without_epochs(tmp_path: Path) -> None:
    for history in ({}, {"loss": [1.0]}):
        artifacts.write_model(tmp_path / "m.h5", dataclasses.replace(model(), history=history))
        assert "unfinished" in describe(tmp_path / "m.h5").facts
    artifacts.write_model(tmp_path / "m.h5", dataclasses.replace(model(), resume={}))
    assert "unfinished" not in describe(tmp_path / "m.h5").facts


@pytest.mark.parametrize("temperatures", [(2.0,), (0.5, 3.0)])
def test_independent_labels_may_have_a_temperature_each(
    temperatures: tuple[float, ...], tmp_path: Path
) -> None:
    labels = dataclasses.replace(LABELS, kind="independent")
    several = dataclasses.replace(model(), labels=labels, temperatures=temperatures)
    artifacts.write_model(tmp_path / "m.h5", several)
    assert_same(several, artifacts.read_model(tmp_path / "m.h5"))


def test_describe_shows_fitted_numbers_as_short_as_they_are_exact(tmp_path: Path) -> None:
    fitted = dataclasses.replace(model(), thresholds=np.float32([0.3, 0.5]).tolist())
    artifacts.write_model(tmp_path / "m.h5", fitted)
    facts = describe(tmp_path / "m.h5").facts
    assert (facts["thresholds"], facts["temperatures"]) == ("0.3, 0.5", "1.25")
    assert facts["labels: kind"] == "exclusive"


def test_describe_shows_by_which_sense_an_event_is_known(tmp_path: Path) -> None:
    artifacts.write_localization(tmp_path / "clip.h5", timeline())
    [event] = describe(tmp_path / "clip.h5").table
    assert (event["sense"], event["heard"], event["seen"]) == ("heard", "0.875", "0.125")
