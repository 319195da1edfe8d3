"""``--store ADDRESS``: extract, train and eval with a store elsewhere do what they do here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
import torch
from object_server import s3_bucket
from workspaces import SmallWorkspace

import avloc
from avloc.artifacts import Address, FeatureStore, read_model, read_predictions
from avloc.artifacts import staged_store as copying
from avloc.artifacts.objects import list_objects, read_object, write_object
from avloc.artifacts.run_marker import marked
from avloc.datasets import load_dataset
from avloc.errors import UsageError

TINY = {"visual": "efficientnet-lite0", "audio": "logmel", "fps": 1, "offline": True}


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with s3_bucket() as address:
        yield address


@pytest.fixture
def elsewhere(bucket: str, small_workspace: SmallWorkspace) -> Address:
    """The store of the small workspace at an address."""
    root, here = Address(f"{bucket}/lab/features"), small_workspace.artifacts / "features"
    system, path = fsspec.core.url_to_fs(root.url)
    system.put(str(here), path, recursive=True)
    return root


def test_a_model_of_a_store_elsewhere_is_that_of_the_store_here(
    elsewhere: Address,
    small_workspace: SmallWorkspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fetched: list[str] = []
    fetch = copying.fetch_object

    def counted(address: Address, file: Path) -> None:
        fetched.append(address.stem)
        fetch(address, file)

    monkeypatch.setattr(copying, "fetch_object", counted)
    (tmp_path / "models").mkdir()
    here = avloc.train(artifacts=small_workspace.artifacts, name="here", epochs=1)
    shutil.copy(here.path, tmp_path / "models")
    there = avloc.train(artifacts=tmp_path, store=str(elsewhere), name="there", epochs=1)
    weights = read_model(here.path).weights
    assert weights.keys() == there.model.weights.keys()
    assert all((there.model.weights[name] == values).all() for name, values in weights.items())
    dataset = load_dataset(small_workspace.data)
    not_test = {row.video_id for row in dataset.rows if row.split != "test"}
    assert sorted(fetched) == sorted(not_test)
    # nothing twice, but what has changed
    fetched.clear()
    store, changed = FeatureStore.open(elsewhere), sorted(not_test)[0]
    copying.staged_store(store, not_test, tmp_path / "copies")
    assert fetched == []
    store.write(store.read(changed))
    copy = copying.staged_store(store, not_test, tmp_path / "copies")
    assert fetched == [changed]
    assert copy.path_of(changed).read_bytes() == read_object(
        elsewhere / f"videos/{changed}.h5", 2**30
    )
    scores = [
        read_predictions(avloc.evaluate(artifacts=where, model="here", store=store).path).scores
        for where, store in ((small_workspace.artifacts, None), (tmp_path, str(elsewhere)))
    ]
    assert torch.equal(*map(torch.as_tensor, scores))


def test_extract_into_a_store_elsewhere(
    bucket: str, small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    root = f"{bucket}/new/features"
    clip = small_workspace.clips[0]
    done = avloc.extract(clip, store=root, artifacts=tmp_path / "none", **TINY)
    assert done.report.n_done == 1
    assert not (tmp_path / "none").exists()
    here = FeatureStore.open(small_workspace.artifacts / "features").read(clip.stem)
    assert (done.store.read(clip.stem).visual == here.visual).all()
    assert list_objects(Address(f"{root}/runs")) == []
    with pytest.raises(UsageError, match="extracted from plain videos"):
        avloc.train(store=root, artifacts=tmp_path)


def test_a_second_run_is_told_of_the_first(bucket: str) -> None:
    root = Address(f"{bucket}/shared/features")

    def lines(shard: str) -> list[str]:
        said: list[str] = []
        with marked(root, shard, said.append):
            pass
        return said

    with marked(root, "1/1", print):
        [line] = lines("1/1")
        assert "another run is writing s3://bucket/shared/features" in line
        assert "give each its part (--shard 1/2, --shard 2/2)" in line
    with marked(root, "1/2", print):
        assert lines("2/2") == []
        assert len(lines("1/2")) == len(lines("1/3")) == 1
    mark = {"host": "elsewhere", "process": 1, "began": 0.0, "shard": "1/1"}
    write_object(root / "runs" / "old.json", json.dumps(mark).encode())
    write_object(root / "runs" / "torn.json", b"{")
    assert lines("1/1") == []
    assert [info.address.name for info in list_objects(root / "runs")] == ["torn.json"]
