"""A store's own two text files, hostile: refused in one line, or passed over line by line."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest
from examples import SPEC
from hypothesis import example, given
from hypothesis import strategies as st

from avloc.artifacts import FeatureStore, describe
from avloc.errors import ArtifactError

GOOD = {"video_id": "b", "source": "b.mp4", "reason": "no index"}


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return FeatureStore.create(tmp_path / "store", SPEC, "data/AVE")


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    return FeatureStore.create(tmp_path_factory.mktemp("store"), SPEC)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 7},
        {"schema": "avloc.features/" + "9" * 5000},
        {"spec": []},
        {"spec": None},
        {"spec": {**asdict(SPEC), "fps": "four"}},
        {"spec": {**asdict(SPEC), "fps": 10**9}},
        {"spec": {**asdict(SPEC), "fps": float("nan")}},
        {"spec": {**asdict(SPEC), "size": [-1, 2]}},
        {"spec": {**asdict(SPEC), "visual": {"a": 1}}},
        {"spec": {**asdict(SPEC), "anything": [[[]]]}},
        {"spec": {**asdict(SPEC), "fps": 8}},  # which has another fingerprint
        {"fingerprint": 7},
        {"fingerprint": ["f00d"]},
        {"dataset_root": None},
    ],
    ids=str,
)
def test_store_of_wrong_values_is_refused(store: FeatureStore, change: dict[str, object]) -> None:
    path = store.root / "store.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ArtifactError, match=r"store\.json is damaged") as caught:
        describe(store.root)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500 + len(str(path))
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [b"", b"null", b"[]", b"\xff\xfe{}", b"[" * 100_000, b"1" * 5000, b"{}", b" " * 2**21],
    ids=lambda text: repr(text[:8]),
)
def test_store_of_wrong_text_is_refused(store: FeatureStore, text: bytes) -> None:
    (store.root / "store.json").write_bytes(text)
    with pytest.raises(ArtifactError, match=r"store\.json is damaged"):
        FeatureStore.open(store.root)


def test_store_in_utf_16_or_absurdly_long_is_refused(store: FeatureStore) -> None:
    path = store.root / "store.json"
    text = path.read_text()
    for raw in (text.encode("utf-16"), text.encode() + b" " * 2**21):
        path.write_bytes(raw)
        with pytest.raises(ArtifactError, match=r"store\.json is damaged"):
            FeatureStore.open(store.root)


def test_store_that_is_a_pipe_is_not_waited_for(store: FeatureStore, tmp_path: Path) -> None:
    (store.root / "store.json").unlink()
    os.mkfifo(store.root / "store.json")
    os.mkfifo(tmp_path / "pipe.h5")
    for path in (store.root, tmp_path / "pipe.h5"):
        with pytest.raises(ArtifactError, match=r"not a file|a device or a pipe"):
            describe(path)


VALUES = st.one_of(st.text(max_size=5), st.integers(), st.none(), st.lists(st.none(), max_size=2))
LINE = st.one_of(
    st.binary(max_size=40),
    st.dictionaries(st.sampled_from([*GOOD, "other"]), VALUES).map(
        lambda row: json.dumps(row).encode()
    ),
    st.fixed_dictionaries(dict.fromkeys(GOOD, VALUES)).map(lambda row: json.dumps(row).encode()),
).filter(lambda line: b"\n" not in line and b"\r" not in line)


@given(before=st.lists(LINE, max_size=3), after=st.lists(LINE, max_size=3))
@example(before=[b"[" * 100_000], after=[b"1" * 5000])
@example(
    before=[json.dumps(GOOD | {"video_id": name}).encode() for name in ("../a", "/b")], after=[]
)
@example(before=[json.dumps(GOOD | {"video_id": "\ud800"}).encode()], after=[b"\xff"])
@example(before=[json.dumps(GOOD | {"video_id": "x" * 5000}).encode()], after=[])
def test_any_failure_lines_are_rows_or_passed_over(lasting, before, after) -> None:
    good = json.dumps(GOOD).encode()
    (lasting.root / "failures.jsonl").write_bytes(b"\n".join([*before, good, *after]))
    failures = lasting.failures()
    assert "b" in [failure.video_id for failure in failures]
    for failure in failures:
        assert lasting.path_of(failure.video_id).parent == lasting.root / "videos"
        f"{failure.video_id} {failure.source} {failure.reason}".encode()


def test_failures_that_cannot_be_read_are_an_error(store: FeatureStore) -> None:
    (store.root / "failures.jsonl").mkdir()
    with pytest.raises(ArtifactError, match=r"failures\.jsonl cannot be read"):
        store.failures()
