"""What is done, missing, failed, unreadable and changed, and the command that does the rest."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from made_up import made_up

from avloc.artifacts import FeatureStore
from avloc.artifacts.address import Address
from avloc.engine.shard import parse_shard
from avloc.errors import ArtifactError, DatasetError
from avloc.stages.status import StoreStatus, status

N_BYTES = 7


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine files that are called videos."""
    folder = tmp_path / "clips"
    folder.mkdir()
    for k in range(9):
        (folder / f"video{k:03}.mp4").write_bytes(b"x" * N_BYTES)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    """Features of five of them and of another, and a failure."""
    made = made_up(tmp_path, n_videos=5).store
    other = made.read("video000")
    for video_id in made.video_ids():
        made.write(replace(made.read(video_id), source_bytes=N_BYTES))
    made.write(replace(other, video_id="another"))
    made.record_failure("video007", "clips/video007.mp4", "clips/video007.mp4 has no end")
    made.record_failure("video002", "clips/video002.mp4", "it was done later")
    return made


def of_state(found: StoreStatus, state: str) -> list[str]:
    return [video.video_id for video in found.videos if video.state == state]


def test_every_video_has_one_state(folder: Path, store: FeatureStore) -> None:
    found = status(store.root, [folder])
    assert of_state(found, "done") == [f"video{k:03}" for k in range(5)]
    assert of_state(found, "missing") == ["video005", "video006", "video008"]
    assert of_state(found, "failed") == ["video007"]
    assert found.counts()["videos"] == 9
    assert (found.n_others, found.n_absent, found.is_complete) == (1, 0, False)
    assert json.loads(json.dumps(found.to_dict()))["counts"] == found.counts()


def test_a_check_finds_what_is_damaged_of_other_settings_or_changed(
    folder: Path, store: FeatureStore
) -> None:
    store.path_of("video000").write_bytes(b"no features")
    other = replace(store.spec, fps=store.spec.fps + 1)
    elsewhere = FeatureStore.create(folder.parent / "other", other)
    elsewhere.write(replace(store.read("video001"), spec=other))
    elsewhere.path_of("video001").replace(store.path_of("video001"))
    (folder / "video002.mp4").write_bytes(b"another film")
    assert len(of_state(status(store.root, [folder]), "done")) == 5
    found = status(store.root, [folder], check=True)
    reasons = {video.video_id: video.reason for video in found.videos}
    assert of_state(found, "unreadable") == ["video000", "video001"]
    assert "fingerprint" in reasons["video001"]
    assert of_state(found, "changed") == ["video002"]
    assert reasons["video002"] == "the video has 12 bytes, and had 7"
    assert of_state(found, "done") == ["video003", "video004"]


def test_shards_are_those_of_extract(folder: Path, store: FeatureStore) -> None:
    found = status(store.root, [folder], shards=3)
    for shard in (1, 2, 3):
        mine = [v.video_id for v in found.videos if parse_shard(f"{shard}/3")(v.video_id)]
        assert found.counts(shard)["videos"] == len(mine)
        is_left = set(mine) - set(of_state(found, "done"))
        assert (shard in found.unfinished_shards) == bool(is_left)
    assert f"--shard {found.unfinished_shards[0]}/3" in found.next_command


def test_the_next_command_makes_features_of_the_stores_settings(
    folder: Path, store: FeatureStore, tmp_path: Path
) -> None:
    spec = replace(store.spec, visual="resnet18", audio="logmel", fps=2, segment_seconds=0.5)
    root = FeatureStore.create(tmp_path / "a store", spec).root
    assert shlex.split(status(root, [folder]).next_command) == [
        *("avloc", "extract", str(folder), "--store", str(root)),
        *("--visual", "resnet18", "--audio", "logmel", "--fps", "2", "--segment-seconds", "0.5"),
    ]
    (folder / "video001.mp4").write_bytes(b"another film")
    for path in folder.glob("video00[05678].mp4"):
        path.unlink()
    last = status(store.root, [folder], check=True).next_command
    assert f"extract {folder}/video001.mp4 --store" in last
    assert last.endswith("--overwrite always")


def test_a_store_at_an_address(folder: Path, store: FeatureStore) -> None:
    there = FeatureStore.create(Address("memory://status/features"), store.spec)
    for video_id in ("video000", "video003"):
        there.write(store.read(video_id))
    there.record_failure("video007", "clips/video007.mp4", "it has no end")
    found = status("memory://status/features", [folder], check=True)
    assert of_state(found, "done") == ["video000", "video003"]
    assert of_state(found, "failed") == ["video007"]
    assert "--store memory://status/features" in found.next_command


def test_without_a_store_or_videos_it_says_so(folder: Path, store: FeatureStore) -> None:
    with pytest.raises(ArtifactError, match="no feature store"):
        status(folder, [folder])
    (folder.parent / "empty").mkdir()
    with pytest.raises(DatasetError, match="no video"):
        status(store.root, [folder.parent / "empty"])
