"""The store: resumable, never mixed, and it remembers what failed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from examples import SPEC, features, model
from format1_files import write_old_features

from avloc.artifacts import FeatureStore, write_model
from avloc.errors import ArtifactError, FingerprintError, UsageError, WrongKindError

OTHER = replace(SPEC, fps=8)


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return FeatureStore.create(tmp_path / "store", SPEC, "data/AVE")


def test_store_reopens_with_all_it_knew(store: FeatureStore) -> None:
    store.write(features("a"))
    again = FeatureStore.open(store.root)
    assert (again.spec, again.dataset_root) == (SPEC, "data/AVE")
    assert again.video_ids() == ["a"]
    assert "a" in again
    assert "b" not in again
    assert again.read("a").video_id == "a"


def test_create_on_the_same_fingerprint_goes_on(store: FeatureStore) -> None:
    store.write(features("a"))
    assert FeatureStore.create(store.root, SPEC).video_ids() == ["a"]


def test_other_fingerprint_is_refused_and_both_are_named(store: FeatureStore) -> None:
    with pytest.raises(
        FingerprintError, match=rf"{SPEC.fingerprint}.*{OTHER.fingerprint}.*fps: 8 here, 4 there"
    ):
        FeatureStore.create(store.root, OTHER)
    with pytest.raises(FingerprintError):
        store.write(features("a", OTHER))


def test_features_file_of_another_fingerprint_counts_as_missing(store: FeatureStore) -> None:
    stray = FeatureStore(store.root, OTHER, store.dataset_root)
    stray.write(features("a", OTHER))
    assert "a" not in store
    with pytest.raises(FingerprintError, match=OTHER.fingerprint):
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


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".clip", "../a", "a/b", "a\\b", "a\0b", "/etc/passwd"]
)
def test_id_that_is_not_a_file_name_is_refused(store: FeatureStore, name: str) -> None:
    with pytest.raises(UsageError, match="plain file name"):
        store.path_of(name)


def test_store_of_format_1_goes_on(store: FeatureStore) -> None:
    """Its store.json has no digest, and neither have its files."""
    path = store.root / "store.json"
    header = json.loads(path.read_text())
    del header["digest"]
    path.write_text(json.dumps(header | {"schema": "avloc.features/1"}))
    write_old_features(store.path_of("a"), features("a"))
    again = FeatureStore.open(store.root)
    again.write(features("b"))
    assert [again.read(name).video_id for name in again.video_ids()] == ["a", "b"]
    assert "a" in again
    assert FeatureStore.create(store.root, SPEC).video_ids() == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("segment_times", [[0, 1], [1, np.nan], [2, 3]]),
        ("segment_times", [[0, 1], [0, 1], [0, 1]]),
        ("visual_valid", [True, False]),
        ("frame_index", [[1], [2]]),
        ("audio", [1, 2, 3]),
    ],
)
def test_file_that_no_reader_accepts_counts_as_missing(
    store: FeatureStore, name: str, values: object
) -> None:
    """Format 1: nothing checked it when it was written."""
    whole = features("a")
    write_old_features(store.path_of("a"), whole)
    assert "a" in store
    with h5py.File(store.path_of("a"), "r+") as file:
        dtype = file[name].dtype
        del file[name]
        file[name] = np.array(values, dtype)
    assert "a" not in store
    with pytest.raises(ArtifactError, match=name):
        store.read("a")


def test_asking_whether_a_video_is_there_reads_no_maps(store: FeatureStore) -> None:
    large = replace(features("a", n=400), visual=np.ones((400, 7, 7, 512), np.float16))
    path = store.write(large)
    before = bytes_read()
    assert "a" in store
    n_asked = bytes_read() - before
    assert n_asked < 2**17
    before = bytes_read()
    store.read("a")
    assert bytes_read() - before > path.stat().st_size > 300 * n_asked


def bytes_read() -> int:
    """Return how many bytes this process has read by its own calls, from disk or cache."""
    [line] = [
        line for line in Path("/proc/self/io").read_text().splitlines() if line.startswith("rchar")
    ]
    return int(line.split()[1])


def test_no_store_and_wrong_kinds_are_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no feature store"):
        FeatureStore.open(tmp_path)
    write_model(tmp_path / "cman.h5", model())
    with pytest.raises(WrongKindError, match="is a file"):
        FeatureStore.open(tmp_path / "cman.h5")
    (tmp_path / "store.json").write_text("[1, 2]")
    with pytest.raises(ArtifactError, match="damaged"):
        FeatureStore.open(tmp_path)
