"""The store: resumable, never mixed, and it remembers what failed."""

from __future__ import annotations

from pathlib import Path

import pytest
from examples import SPEC, features, model

from avloc.artifacts import FeatureStore, write_model
from avloc.errors import ArtifactError, FingerprintError, UsageError, WrongKindError


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return FeatureStore.create(tmp_path / "store", SPEC, "f00d", "data/AVE")


def test_store_reopens_with_all_it_knew(store: FeatureStore) -> None:
    store.write(features("a"))
    again = FeatureStore.open(store.root)
    assert (again.spec, again.fingerprint, again.dataset_root) == (SPEC, "f00d", "data/AVE")
    assert again.video_ids() == ["a"]
    assert "a" in again
    assert "b" not in again
    assert again.read("a").video_id == "a"


def test_create_on_the_same_fingerprint_goes_on(store: FeatureStore) -> None:
    store.write(features("a"))
    assert FeatureStore.create(store.root, SPEC, "f00d").video_ids() == ["a"]


def test_other_fingerprint_is_refused_and_both_are_named(store: FeatureStore) -> None:
    with pytest.raises(FingerprintError, match=r"f00d.*beef.*fps: 4 there, 16 here"):
        FeatureStore.create(store.root, SPEC | {"fps": 16}, "beef")
    with pytest.raises(FingerprintError):
        store.write(features("a", fingerprint="beef"))


def test_features_file_of_another_fingerprint_counts_as_missing(store: FeatureStore) -> None:
    stray = FeatureStore(store.root, store.spec, "beef", store.dataset_root)
    stray.write(features("a", fingerprint="beef"))
    assert "a" not in store
    with pytest.raises(FingerprintError, match="beef"):
        store.read("a")


def test_damaged_features_file_counts_as_missing(store: FeatureStore) -> None:
    path = store.write(features("a"))
    path.write_bytes(path.read_bytes()[:500])
    assert "a" not in store
    with pytest.raises(ArtifactError, match=r"a\.h5"):
        store.read("a")


def test_leftovers_of_a_killed_run_are_not_listed(store: FeatureStore) -> None:
    path = store.write(features("a"))
    path.with_name(".b.x1y2.partial.h5").write_bytes(b"half")
    assert store.video_ids() == ["a"]


def test_failures_last_word_wins_and_success_clears(store: FeatureStore) -> None:
    store.record_failure("a", "a.mp4", "timed out")
    store.record_failure("b", "b.mp4", "no index")
    store.record_failure("b", "b.mp4", "empty file")
    assert [(row.video_id, row.reason) for row in store.failures()] == [
        ("a", "timed out"),
        ("b", "empty file"),
    ]
    store.write(features("a"))
    assert [row.video_id for row in store.failures()] == ["b"]


def test_torn_failure_line_is_passed_over(store: FeatureStore) -> None:
    store.record_failure("a", "a.mp4", "timed out")
    with (store.root / "failures.jsonl").open("a") as file:
        file.write('{"video_id": "b", "rea')
    assert [row.video_id for row in store.failures()] == ["a"]


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "a/b", "a\\b", "a\0b", "/etc/passwd"])
def test_id_that_is_no_file_name_is_refused(store: FeatureStore, name: str) -> None:
    with pytest.raises(UsageError, match="plain file name"):
        store.path_of(name)


def test_no_store_and_wrong_kinds_are_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no feature store"):
        FeatureStore.open(tmp_path)
    write_model(tmp_path / "cman.h5", model())
    with pytest.raises(WrongKindError, match="is a file"):
        FeatureStore.open(tmp_path / "cman.h5")
    (tmp_path / "store.json").write_text("[1, 2]")
    with pytest.raises(ArtifactError, match="damaged"):
        FeatureStore.open(tmp_path)
