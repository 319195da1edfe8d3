"""A hostile file is refused in one line, and nothing is allocated for what it declares."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from examples import SPEC
from hostile import (
    ARRAYS,
    OLD_ARRAYS,
    OLD_WRITERS,
    REPLACEMENTS,
    WRITERS,
    list_array,
    sound,
    with_array,
    with_attribute,
    with_field,
    with_values,
)
from hypothesis import given
from hypothesis import strategies as st
from reading_process import Answer, ReadingProcess

OVERHEAD = 2**20  # bytes: a description


@pytest.fixture(scope="module")
def reader() -> Iterator[ReadingProcess]:
    process = ReadingProcess()
    yield process
    process.close()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


def assert_small(answer: Answer, path: Path) -> None:
    """Check that reading took no more than about the file's size, and was not merely lucky."""
    assert answer.ended != "crashed", answer
    assert answer.cause != "MemoryError", answer
    assert answer.peak_bytes < OVERHEAD + 4 * path.stat().st_size, answer


def assert_refused(answer: Answer, path: Path, *words: str) -> None:
    assert_small(answer, path)
    assert answer.ended == "refused", answer
    assert str(path) in answer.message
    assert "\n" not in answer.message
    assert len(answer.message) < 600 + len(str(path))
    assert answer.hint
    assert [word for word in words if word not in answer.message] == []


@pytest.mark.parametrize(
    ("kind", "is_old"), [(k, False) for k in WRITERS] + [(k, True) for k in OLD_WRITERS]
)
def test_sound_file_is_read(
    kind: str, is_old: bool, reader: ReadingProcess, tmp_path: Path
) -> None:
    path = sound(kind, tmp_path, is_old)
    answer = reader.read(path)
    assert answer.ended == "read", answer
    assert_small(answer, path)


@pytest.mark.parametrize("replacement", REPLACEMENTS)
@pytest.mark.parametrize(("kind", "name"), ARRAYS)
def test_array_that_is_something_else_is_refused(
    kind: str, name: str, replacement: str, reader: ReadingProcess, tmp_path: Path
) -> None:
    path = with_array(kind, name, replacement, tmp_path)
    assert_refused(reader.read(path), path, name.split("/")[-1])


@pytest.mark.parametrize("replacement", REPLACEMENTS)
@pytest.mark.parametrize(("kind", "name"), OLD_ARRAYS)
def test_array_of_an_older_file_that_is_something_else_is_refused(
    kind: str, name: str, replacement: str, reader: ReadingProcess, tmp_path: Path
) -> None:
    path = with_array(kind, name, replacement, tmp_path, is_old=True)
    assert_refused(reader.read(path), path, name.split("/")[-1])


DTYPES = st.sampled_from(["f2", "f4", ">f8", "i1", "<i8", "u4", "?", "c16", "S3", "V4"])
SIZES = st.one_of(st.integers(0, 4), st.sampled_from([2**31, 2**32, 10**12, 2**62]))


@given(
    array=st.sampled_from([*ARRAYS, *OLD_ARRAYS]),
    is_old=st.booleans(),
    shape=st.lists(SIZES, max_size=6).map(tuple),
    dtype=DTYPES,
    is_chunked=st.booleans(),
    is_written=st.booleans(),
)
def test_any_declared_shape_and_type_costs_no_memory(
    reader: ReadingProcess, scratch: Path, array, is_old, shape, dtype, is_chunked, is_written
) -> None:
    is_old = array not in ARRAYS or (is_old and array[0] in OLD_WRITERS)
    path = sound(array[0], scratch, is_old)
    with h5py.File(path, "r+") as file:
        del file[array[1]]
        chunks = (1,) * len(shape) if is_chunked and shape and min(shape) > 0 else None
        try:
            made = file.create_dataset(array[1], shape, dtype, chunks=chunks)
        except (ValueError, OverflowError):
            return  # HDF5 itself has no such shape
        if is_written and max((*shape, 0)) <= 4:
            made[...] = np.zeros(shape, dtype)
        if not is_old:
            list_array(file, array[1])
    assert_small(reader.read(path), path)


DEEP, LONG = "[" * 100_000, "1" * 5000
HUGE = "1" + "0" * 400


def spec_with(name: str, value: str) -> str:
    """Return the JSON text of a spec with another value of one field."""
    return json.dumps({**asdict(SPEC), name: None}).replace(f'"{name}": null', f'"{name}": {value}')


ATTRIBUTES: list[tuple[str, str, Any]] = [
    *((kind, "schema", value) for kind in ("features", "model") for value in (7, None, "avloc")),
    *(("model", "schema", value) for value in (["avloc.model/1"] * 2, h5py.Empty("S1"))),
    *(("model", "schema", f"avloc.model/{major}") for major in ("", "-1", "²", "9" * 5000)),
    *(("features", "video_id", value) for value in (None, 7, ["a", "b"], np.bytes_(b"fixed"))),
    *(("features", "duration", value) for value in (-1.0, np.nan, np.inf, "1", [1.0, 2.0], 1e300)),
    *(("features", "segment_seconds", value) for value in (0.0, -1.0, np.nan, 1e300, 1e-300)),
    *(("features", "source_bytes", value) for value in (-1, 1.5, "1")),
    *(("features", "flags", value) for value in ("{}", "[1]", '"rotated"', DEEP, "null")),
    *(("features", "frame_size", value) for value in ("[1]", "[-1, 5]", "[true, true]", '"ab"')),
    *(("features", "frame_size", value) for value in ("[1.5, 2]", "[0, 0]", "[1000000000, 1]")),
    *(("features", "spec", value) for value in ("[]", "null", DEEP, LONG, "no JSON", 3)),
    *(("features", "spec", spec_with("fps", x)) for x in ("-1", '"4"', "true", "1e9", "NaN", "7")),
    *(("features", "spec", spec_with("size", x)) for x in ("7", "[1]", '["a", "b"]', "[0, 1]")),
    *(("features", "spec", spec_with("visual", x)) for x in ("7", "{}", DEEP, '"\\ud800"')),
    *(("features", "spec", spec_with("precision", x)) for x in ("7", '"fp8"')),
    *(("features", "spec", spec_with("other", x)) for x in ("7", '"a"')),
    *(("model", "config", value) for value in ("[]", DEEP, "{}" + " " * 2**23)),
    *(("model", "metrics", value) for value in ('{"a": "b"}', f'{{"a": {HUGE}}}', '{"a": null}')),
    *(("model", "n_segments", value) for value in (0, -1, 10**18, 1.5, "10", [1, 2])),
    *(("model", "seed", value) for value in (-1, 0.5, "x")),
    *(("model", "segment_seconds", value) for value in (np.nan, -1.0)),
    *(
        ("localization", "segment_seconds", text)
        for text in ("1e999999999", "1/0", "1/00", "nan", "-1")
    ),
    *(("localization", "segment_seconds", text) for text in ("", "0", LONG, "1/" + LONG, 1.0)),
    *(
        (kind, "labels", f'{{"names": {names}, "background": "none"}}')
        for kind in ("model", "predictions", "localization")
        for names in ("7", "[1, 2]", '["a", "a"]', '["none", "b"]', '["", "b"]', '"ab"', "{}")
    ),
    *(("predictions", "labels", text) for text in ("{}", '{"background": "a"}', "[]")),
    ("predictions", "labels", '{"names": ["a", "b"], "background": 7}'),
    ("predictions", "labels", '{"names": ["a", "b", "c"], "background": "none"}'),
]


STAMPS: list[tuple[str, str, Any]] = [
    *(("model", "schema", value) for value in (7, None, "avloc", "avloc.model/3", np.bytes_(""))),
    *(("model", "schema", np.bytes_(f"avloc.model/{n}")) for n in ("", "-1", "9" * 5000, "1")),
    *(("model", "schema", value) for value in (["avloc.model/2"] * 2, h5py.Empty("S1"))),
    *(("model", "schema", value) for value in (np.bytes_("avloc.features/2"), np.bytes_(b"\xff"))),
    *(("features", "created", value) for value in (None, 7, np.bytes_("2026-11-01"), "a")),
    *(("features", "digest", value) for value in (None, 7, np.bytes_("0" * 32), "0" * 32)),
]


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [a for a in ATTRIBUTES if a[0] in OLD_WRITERS],
    ids=lambda value: f"{value!s:.30}",
)
def test_attribute_of_an_older_file_that_cannot_be_is_refused(
    kind: str, name: str, value: object, reader: ReadingProcess, tmp_path: Path
) -> None:
    path = with_attribute(kind, name, value, tmp_path)
    assert_refused(reader.read(path), path)


@pytest.mark.parametrize(("kind", "name", "value"), STAMPS, ids=lambda value: f"{value!s:.30}")
def test_attribute_that_cannot_be_is_refused(
    kind: str, name: str, value: object, reader: ReadingProcess, tmp_path: Path
) -> None:
    path = with_attribute(kind, name, value, tmp_path, is_old=False)
    assert_refused(reader.read(path), path)


def event_with(name: str, value: object) -> str:
    """Return the JSON text of a list with an event, of which one field has another value."""
    return json.dumps([{"start": 0, "end": 1, "label": "bark", "score": 0.5, name: value}])


def labels_of_kind(kind: object) -> str:
    return json.dumps({"names": ["a", "b"], "background": "none", "kind": kind})


FIELDS: list[tuple[str, str, str | None]] = [
    *(
        (kind, name, value if isinstance(value, str) else json.dumps(value))
        for kind, name, value in ATTRIBUTES
        if name not in ("schema", "video_id") and isinstance(value, str | int | float)
        if value not in ("1", "10", 1.0)  # which are what they should be, as JSON
    ),
    *(("features", "video_id", value) for value in (None, "7", '["a"]', '"\\ud800"')),
    *(("features", "duration", value) for value in ('"1"', "true", "Infinity", "1e999")),
    *(("features", "arrays", value) for value in (None, "[]", "{}", '{"visual": 7}', DEEP)),
    *(("predictions", "video_ids", value) for value in (None, '["a"]', '["a", 7]', '"ab"', "{}")),
    *(("comparison", "titles", value) for value in (None, '["a"]', '["a", "b", "c"]', "[[], []]")),
    *(("model", "labels", labels_of_kind(kind)) for kind in ("both", 7, None, ["exclusive"])),
    *(("model", "temperatures", value) for value in (None, "[]", "[0]", "[1, 1]", '["1"]', "1")),
    *(
        (kind, "thresholds", value)
        for kind in ("model", "predictions")
        for value in ("[0.5]", "[0.5, 2]", "[0.5, NaN]", "0.5", None)
    ),
    *(
        (kind, "sense_thresholds", value)
        for kind in ("model", "predictions")
        for value in ("[0.5]", "[0.5, 2]", "[0.5, NaN]", "0.5", "[0, 0, 0]")
    ),
    *(("predictions", "segment_seconds", value) for value in (None, "1", '"0"', '"1/0"', '"1e9"')),
    *(("localization", "events", value) for value in (None, "{}", "[[0, 1, 2, 3]]", "[{}]", "7")),
    *(
        ("localization", "events", f'[{{"start": {a}, "end": {b}, "label": {c}, "score": {d}}}]')
        for a, b, c, d in (
            *((2, 1, '"bark"', 0.5), (0, "Infinity", '"bark"', 0.5), (-1, 1, '"bark"', 0.5)),
            *((0, 1, '"bark"', "NaN"), (0, 1, '"meow"', 0.5), (0, 1, "7", 0.5)),
            *(('"0"', 1, '"bark"', 0.5), ("true", 1, '"bark"', 0.5)),
            *((0, 1, '"bark"', 1.1), (0, 1, '"bark"', -0.5)),
        )
    ),
    *(
        ("localization", "events", event_with(name, value))
        for name, value in (
            *(("sense", sense) for sense in ("smelled", "", 7, None, ["heard"])),
            *(("heard", share) for share in (-0.1, 1.1, "1", True, math.nan, math.inf)),
            *(("seen", 1e300), ("smelled", 0.5)),
        )
    ),
]


@pytest.mark.parametrize(("kind", "name", "value"), FIELDS, ids=lambda value: f"{value!s:.30}")
def test_field_of_the_header_that_cannot_be_is_refused(
    kind: str, name: str, value: str | None, reader: ReadingProcess, tmp_path: Path
) -> None:
    path = with_field(kind, name, value, tmp_path)
    assert_refused(reader.read(path), path)


NAN, INF = np.float16(np.nan), np.float16(np.inf)
VALUES: list[tuple[str, str, Any]] = [
    ("features", "segment_times", [[0, 1], [1, np.nan], [2, 3]]),
    ("features", "segment_times", [[0, 1], [1, np.inf], [2, 3]]),
    ("features", "segment_times", [[1, 0], [2, 1], [3, 2]]),
    ("features", "segment_times", [[2, 3], [1, 2], [0, 1]]),
    ("features", "segment_times", np.zeros((0, 2))),
    ("features", "visual_valid", [True] * 4),
    ("features", "visual_valid", np.ones(3, np.uint8)),
    ("features", "audio", np.zeros((3, 0), np.float32)),
    ("features", "audio", [[0.0], [np.nan], [0.0]]),
    ("features", "visual", np.zeros((3, 2, 0, 5), np.float16)),
    *(("features", "visual", np.full((3, 2, 2, 5), x, np.float16)) for x in (NAN, INF, -INF)),
    ("predictions", "scores", np.full((2, 4, 2), NAN)),
    *(("predictions", name, np.ones((2, 4, 2), "u1")) for name in ("truth", "true_heard")),
    *(("predictions", name, np.ones((2, 4, 3), bool)) for name in ("truth", "true_seen")),
    ("predictions", "scored", np.ones((2, 3), bool)),
    *(("predictions", name, [1, 2, 3]) for name in ("rows", "durations")),
    ("predictions", "durations", [1, np.nan]),
    ("predictions", "gate_visual", [[0.5] * 4] * 3),
    ("localization", "gate_audio", [0.5] * 4),
    ("localization", "scores", np.full((3, 3), np.inf, np.float32)),
    ("model", "weights/head.weight", [[1.0, np.nan]]),
    ("model", "weights/tau", np.array(np.inf)),
    ("model", "history/epoch", [[0.0], [1.0]]),
]


@pytest.mark.parametrize(("kind", "name", "values"), VALUES)
def test_values_that_cannot_be_are_refused(
    kind: str, name: str, values: Any, reader: ReadingProcess, tmp_path: Path
) -> None:
    path = with_values(kind, name, values, tmp_path)
    assert_refused(reader.read(path), path, name.split("/")[-1])


@pytest.mark.parametrize(("kind", "name", "values"), [v for v in VALUES if v[0] in OLD_WRITERS])
def test_values_of_an_older_file_that_cannot_be_are_refused(
    kind: str, name: str, values: Any, reader: ReadingProcess, tmp_path: Path
) -> None:
    path = with_values(kind, name, values, tmp_path, is_old=True)
    assert_refused(reader.read(path), path)
