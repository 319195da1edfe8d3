"""Features that stay in their files: checked once, read in parts, and never silently wrong."""

from __future__ import annotations

import os
import pickle
import shutil

import h5py
import numpy as np
import pytest
from made_up import features_of, made_up

from avloc.artifacts import FeatureStore
from avloc.artifacts.arrays import Depth
from avloc.artifacts.store_notes import notes_folder
from avloc.artifacts.stored_array import FileState, StoredArray
from avloc.artifacts.stored_features import stored_features
from avloc.errors import ArtifactError

FIRST = "video000"


@pytest.fixture
def store(tmp_path):
    return made_up(tmp_path, n_videos=3).store


@pytest.fixture
def depths(monkeypatch):
    """Record how far each file is read."""
    seen, read = [], FeatureStore.read

    def noted(self, video_id, depth=Depth.WHOLE):
        seen.append(depth.name)
        return read(self, video_id, depth)

    monkeypatch.setattr(FeatureStore, "read", noted)
    return seen


def test_parts_are_what_h5py_reads(store):
    (features,) = stored_features(store, [FIRST])
    with h5py.File(store.path_of(FIRST)) as file:
        for name in ("visual", "audio"):
            stored, whole = getattr(features, name), file[name][:]
            assert isinstance(stored, StoredArray)
            assert (stored.shape, stored.nbytes, len(stored)) == (whole.shape, whole.nbytes, 10)
            for part in (slice(None), slice(2, 5), slice(7, 99), slice(4, 4)):
                np.testing.assert_array_equal(stored[part], whole[part])
            np.testing.assert_array_equal(np.asarray(stored), whole)
            np.testing.assert_array_equal(pickle.loads(pickle.dumps(stored))[:], whole)


def test_numbers_of_the_other_byte_order_come_in_the_machines(tmp_path):
    numbers = np.arange(12, dtype=">f4").reshape(3, 4)
    (tmp_path / "numbers").write_bytes(b"head" + numbers.tobytes())
    stored = StoredArray(FileState.of(tmp_path / "numbers"), 4, numbers.dtype, numbers.shape)
    assert stored[1:].dtype.isnative
    np.testing.assert_array_equal(stored[1:], numbers[1:])


def test_sent_to_another_process_it_is_no_longer_than_its_path(tmp_path):
    store = made_up(tmp_path, n_videos=1, side=30, channels=(64, 6)).store
    (features,) = stored_features(store, [FIRST])
    assert features.visual.nbytes > 10**6
    assert len(pickle.dumps(features)) < 5000


def test_every_byte_is_checked_once_and_again_after_a_change(store, depths):
    names = store.video_ids()
    for _ in range(2):
        assert all(stored_features(store, names))
    assert depths == ["CHECKED"] * 3 + ["IN_PLACE"] * 3
    depths.clear()
    store.write(features_of("video001", np.ones((10, 3, 3, 12)), np.ones((10, 6))))
    assert all(stored_features(store, names))
    assert depths == ["IN_PLACE", "CHECKED", "IN_PLACE"]
    path = store.path_of(FIRST)
    content = bytearray(path.read_bytes())
    content[content.index(np.asarray(store.read(FIRST).visual).tobytes()) + 9] ^= 4
    path.write_bytes(content)
    for _ in range(2):  # a damaged file is never noted as checked
        damaged, *others = stored_features(store, names)
        assert isinstance(damaged, ArtifactError)
        assert "does not match its digest" in damaged.message
        assert all(others)


def test_a_header_is_checked_each_time(store):
    list(stored_features(store, [FIRST]))
    path = store.path_of(FIRST)
    before, content = path.stat(), path.read_bytes()
    path.write_bytes(content.replace(b"video000", b"video009"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    (result,) = stored_features(store, [FIRST])
    assert isinstance(result, ArtifactError)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda path: path.unlink(), "can no longer be read: No such file"),
        (lambda path: os.truncate(path, 3000), "was changed while it was in use"),
        (lambda path: shutil.copy(path.with_name("video001.h5"), path), "was changed"),
    ],
    ids=["gone", "cut short", "replaced"],
)
def test_a_file_that_changes_in_use_is_an_error_with_its_name(store, harm, words):
    (features,) = stored_features(store, [FIRST])
    harm(store.path_of(FIRST))
    with pytest.raises(ArtifactError, match=words) as caught:
        features.visual[2:4]
    assert str(store.path_of(FIRST)) in caught.value.message


def test_damaged_notes_cost_only_time(store, depths):
    list(stored_features(store, store.video_ids()))
    (notes,) = notes_folder(store.root).glob("checked*")
    for content in (b"", b"[1]", b'{"video000.h5": 3, "video001.h5": [1, 2, 3]}', b"\xff\x00"):
        notes.write_bytes(content)
        depths.clear()
        assert all(stored_features(store, store.video_ids()))
        assert depths == ["CHECKED"] * 3


def test_notes_on_a_store_that_cannot_be_written_lie_in_the_cache(store, tmp_path, monkeypatch):
    monkeypatch.setenv("AVLOC_CACHE", str(tmp_path / "cache"))
    (store.root / "notes").write_text("a file where the folder would be")
    list(stored_features(store, store.video_ids()))
    folder = notes_folder(store.root)
    assert folder.is_relative_to(tmp_path / "cache")
    assert (folder / "checked.json").exists()
