"""Videos and features at addresses: the same features, one copy at a time, and nothing left."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pytest
from object_server import s3_bucket
from test_extraction import assert_same
from tiny_encoders import Film, tiny_encoders

from avloc.artifacts import Address, FeatureStore
from avloc.features import Encoders, extract, extract_video

SECONDS = 2.0


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with s3_bucket() as address:
        yield address


@pytest.fixture(scope="module")
def encoders() -> Encoders:
    return tiny_encoders()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for number, name in enumerate("ab"):
        Film(SECONDS, seed=number).write(folder / f"{name}.mp4")
    return folder


@pytest.fixture(params=["memory", "s3"])
def clips(request: pytest.FixtureRequest, folder: Path, bucket: str) -> dict[str, Address]:
    root = Address(("memory://data" if request.param == "memory" else bucket) + "/clips")
    system, path = fsspec.core.url_to_fs(root.url)
    for file in folder.iterdir():
        system.pipe_file(f"{path}/{file.name}", file.read_bytes())
    return {file.stem: root / file.name for file in sorted(folder.iterdir())}


@pytest.fixture(autouse=True)
def scratch(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))  # for decoding processes
    return folder


def store_at(clips: dict[str, Address], name: str, encoders: Encoders) -> FeatureStore:
    return FeatureStore.create(clips["a"].parent.parent / name, encoders.spec)


def test_features_are_those_of_local_files_and_are_not_made_twice(
    clips: dict[str, Address], folder: Path, encoders: Encoders, scratch: Path
) -> None:
    store = store_at(clips, "whole", encoders)
    # memory is this process's own
    workers = 0 if clips["a"].protocol == "memory" else 1
    report = extract([*clips.items()], store, encoders, workers=workers)
    assert (report.n_done, report.n_skipped, report.failures) == (2, 0, ())
    for name, address in clips.items():
        local = extract_video(folder / f"{name}.mp4", encoders)
        assert_same(store.read(name), replace(local, source=str(address)))
    assert not [*scratch.iterdir()]
    before = {name: store.written_at(name) for name in clips}
    report = extract([*clips.items()], store, encoders, workers=0)
    assert (report.n_done, report.n_skipped) == (0, 2)
    assert {name: store.written_at(name) for name in clips} == before


def test_a_video_that_cannot_be_had_is_a_row_and_the_others_go_on(
    clips: dict[str, Address], encoders: Encoders, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_at(clips, "partly", encoders)
    system, path = fsspec.core.url_to_fs(str(clips["a"].parent))
    system.pipe_file(f"{path}/torn.mp4", b"no video")
    videos = clips | {name: clips["a"].parent / f"{name}.mp4" for name in ("absent", "torn")}
    report = extract([*videos.items()], store, encoders, workers=0)
    assert report.n_done == 2
    reasons = {failure.video_id: failure.reason for failure in store.failures()}
    assert reasons["absent"] == f"there is no such object: {videos['absent']}"
    assert reasons["torn"].startswith(f"{videos['torn']} cannot be opened")
    assert not [*scratch.iterdir()]


def test_a_full_disk_and_a_lost_connection_cost_the_video(
    clips: dict[str, Address], encoders: Encoders, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from avloc.artifacts import objects

    def fetch(address: Address, file: Path) -> None:
        file.write_bytes(b"half")
        if address.stem == "a":
            raise OSError(errno.ENOSPC, "No space left on device")
        with objects.reaching(address):
            raise ConnectionResetError("Connection lost")

    monkeypatch.setattr(objects, "fetch_object", fetch)
    store = store_at(clips, "none", encoders)
    report = extract([*clips.items()], store, encoders, workers=0)
    reasons = {failure.video_id: failure.reason for failure in report.failures}
    assert reasons == {
        "a": f"the copy of {clips['a']} in {scratch} cannot be written: No space left on device",
        "b": f"{clips['b']} cannot be reached: Connection lost",
    }
    assert store.video_ids() == []
    assert not [*scratch.iterdir()]


def test_what_stops_in_the_middle_leaves_no_object(
    clips: dict[str, Address], encoders: Encoders, scratch: Path
) -> None:
    store = store_at(clips, "stopped", encoders)

    def stop(done: float, *_: Any) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract([*clips.items()], store, encoders, workers=0, progress=stop)
    assert not [*scratch.iterdir()]
    assert len(store.video_ids()) < 2
    report = extract([*clips.items()], store, encoders, workers=0)
    assert report.n_done + report.n_skipped == 2
    assert set(store.video_ids()) == set(clips)
