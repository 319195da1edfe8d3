"""``verify`` finds each damaged file, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from faulty_files import faulty_file
from made_up import features_of

import avloc
from avloc.artifacts import FeatureStore, read_features, write_features


def damage(path: Path, name: str = "visual") -> None:
    """Flip one bit of an array's last number."""
    with h5py.File(path) as file:
        at = file[name].id.get_offset() + file[name].nbytes - 1
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    first = features_of("a", np.ones((2, 2, 2, 3)), np.ones((2, 4)))
    store = FeatureStore.create(tmp_path / "features", first.spec)
    for name in "abc":
        store.write(features_of(name, np.ones((2, 2, 2, 3)), np.ones((2, 4))))
    return store


def test_sound_store_and_file_are_sound(store: FeatureStore) -> None:
    done = avloc.verify([store.root, store.path_of("a")])
    assert (done.n_checked, done.bad, done.undigested) == (5, (), ())
    assert avloc.verify(store.path_of("a")).n_checked == 1


def test_each_bad_file_is_named_with_its_reason(store: FeatureStore, tmp_path: Path) -> None:
    damage(store.path_of("b"))
    damage(store.path_of("c"), "audio")
    (tmp_path / "text.h5").write_text("hello")
    done = avloc.verify([store.root, tmp_path / "text.h5", tmp_path / "none.h5"])
    assert [path.name for path, _ in done.bad] == ["b.h5", "c.h5", "text.h5", "none.h5"]
    assert "visual of the video 'b' does not match its digest" in done.bad[0][1]
    assert "audio of the video 'c' does not match its digest" in done.bad[1][1]
    assert done.n_checked == 6
    assert "b" in store  # cheap: the arrays are not read


def test_store_json_that_changed_is_bad_until_its_digest_is_taken_out(
    store: FeatureStore,
) -> None:
    path = store.root / "store.json"
    changed = json.loads(path.read_text()) | {"dataset_root": "elsewhere"}
    path.write_text(json.dumps(changed))
    done = avloc.verify(store.root)
    assert [path for path, _ in done.bad] == [store.root]
    assert "does not match its digest" in done.bad[0][1]
    del changed["digest"]
    path.write_text(json.dumps(changed))
    assert FeatureStore.open(store.root).dataset_root == "elsewhere"
    assert avloc.verify(store.root).undigested == (store.root,)


def test_large_file_is_checked_in_little_memory(tmp_path: Path) -> None:
    import tracemalloc

    large = features_of("a", np.ones((60, 7, 7, 2048)), np.ones((60, 4)))
    write_features(tmp_path / "a.h5", large)
    n_bytes = (tmp_path / "a.h5").stat().st_size
    for read, is_large in ((avloc.verify, False), (read_features, True)):
        tracemalloc.start()
        read(tmp_path / "a.h5")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (peak > n_bytes) == is_large, (peak, n_bytes)


def test_file_of_a_fault_that_no_reader_accepts_is_bad_and_counts_as_missing(
    tmp_path: Path,
) -> None:
    faulty = faulty_file("features_refused_but_there_19_meta_bytes.h5")
    assert [path for path, _ in avloc.verify(faulty).bad] == [faulty]
    made = features_of("a", np.ones((2, 2, 2, 3)), None)
    store = FeatureStore.create(tmp_path, made.spec)
    store.write(made)
    shutil.copy(faulty, store.path_of("b"))
    assert "a" in store
    assert "b" not in store
