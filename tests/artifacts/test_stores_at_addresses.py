"""A store at an address holds what a store in a folder holds, and says in a line what fails."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import fsspec
import numpy as np
import pytest
from examples import SPEC, features
from object_server import forget_connections, s3_bucket

import avloc
from avloc.artifacts import Address, FeatureStore, as_location, describe, is_address
from avloc.artifacts.address_errors import in_words
from avloc.artifacts.atomic import scratch_file, sweep
from avloc.artifacts.objects import write_object
from avloc.errors import (
    AddressError,
    ArtifactError,
    AvlocError,
    DependencyError,
    FingerprintError,
    UsageError,
)

OTHER = replace(SPEC, fps=8)


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with s3_bucket() as address:
        yield address


@pytest.fixture(params=["memory", "s3"])
def root(request: pytest.FixtureRequest, bucket: str) -> Address:
    start = "memory://stores" if request.param == "memory" else bucket
    return Address(f"{start}/{uuid4().hex}/features")


def objects_below(root: Address) -> list[str]:
    system, path = fsspec.core.url_to_fs(root.url)
    system.invalidate_cache()
    return sorted(name.partition("/features/")[2] for name in system.find(path))


@pytest.fixture(autouse=True)
def scratch(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_addresses_have_names_and_parents_and_paths_are_none() -> None:
    address = as_location("S3://bucket/clips/dog park.tar.mp4/")
    assert isinstance(address, Address)
    assert str(address) == "s3://bucket/clips/dog park.tar.mp4"
    assert (address.name, address.stem, address.suffix) == (
        "dog park.tar.mp4",
        "dog park.tar",
        ".mp4",
    )
    assert str(address.parent / "cat.mp4") == "s3://bucket/clips/cat.mp4"
    assert as_location(Path("s3://bucket/x")) == Address("s3://bucket/x")
    assert as_location("file:///data/x") == Path("/data/x")
    assert Address("s3://bucket").parent == Address("s3://bucket")


def test_the_signature_of_a_web_address_is_used_and_never_kept():
    signed = Address("https://host/clips/dog.mp4?token=secret")
    assert (signed.stem, signed.suffix) == ("dog", ".mp4")
    assert "secret" in signed.url
    assert "secret" not in f"{signed} {signed.parent} {signed.name}"
    assert Address("s3://lab/what?.mp4").name == "what?.mp4"
    with pytest.raises(UsageError, match=r"ssh://me:\.\.\.@host/x holds a password"):
        as_location("ssh://me:secret@host/x")
    assert not any(map(is_address, ("/a/b", "a:b/c.mp4", "C:/x", "clip: 1.mp4")))


def test_a_store_reads_back_what_it_wrote(root: Address, tmp_path: Path, scratch: Path) -> None:
    store, here = FeatureStore.create(root, SPEC, "data/AVE"), FeatureStore.create(tmp_path, SPEC)
    for one in (store, here):
        one.write(features("a"))
    again = FeatureStore.open(str(root))
    assert (again.spec, again.dataset_root, again.video_ids()) == (SPEC, "data/AVE", ["a"])
    assert "a" in again
    assert "b" not in again
    assert again.written_at("a") == pytest.approx(here.path_of("a").stat().st_mtime, abs=60)
    assert again.written_at("b") is None
    for name, array in vars(here.read("a")).items():
        np.testing.assert_array_equal(vars(again.read("a"))[name], array)
    with again.local_path("a") as path:
        assert len(path.read_bytes()) == here.path_of("a").stat().st_size
    assert not path.exists()
    assert objects_below(root) == ["store.json", "videos/a.h5"]
    assert not [*scratch.iterdir()]


def test_an_object_appears_only_when_it_is_whole(root: Address, scratch: Path) -> None:
    store = FeatureStore.create(root, SPEC)
    whole = features("a")
    writer = store.writer("a", whole.n_segments)
    writer.put_visual(whole.visual)
    assert objects_below(root) == ["store.json"]
    writer.abandon()
    with pytest.raises(ArtifactError, match=rf"{root}/videos/b.h5 cannot be written: audio holds"):
        store.write(replace(features("b"), audio=np.full((3, 4), np.nan, np.float32)))
    assert objects_below(root) == ["store.json"]
    assert not [*scratch.iterdir()]


def test_two_that_make_one_store_agree_or_the_second_is_refused(
    root: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    # both look before either has written
    monkeypatch.setattr("avloc.artifacts.store_files.ObjectFiles.is_absent", lambda *_: is_absent)
    is_absent = True
    first = FeatureStore.create(root, SPEC, "data")
    before = FeatureStore.open(root)
    monkeypatch.undo()
    assert FeatureStore.create(root, SPEC, "data") == first == before
    with pytest.raises(FingerprintError, match="Features of different fingerprints never mix"):
        FeatureStore.create(root, OTHER)
    with pytest.raises(FingerprintError):
        first.write(features("a", OTHER))
    assert objects_below(root) == ["store.json"]


def test_stale_and_damaged_features_do_not_count(root: Address) -> None:
    store = FeatureStore.create(root, SPEC)
    for name in ("good", "stale", "damaged"):
        store.write(features(name))
    system, path = fsspec.core.url_to_fs(root.url)
    system.pipe_file(f"{path}/videos/damaged.h5", b"no features")
    system.rm_file(f"{path}/store.json")
    FeatureStore.create(root, OTHER).write(features("stale", OTHER))
    system.rm_file(f"{path}/store.json")
    store = FeatureStore.create(root, SPEC)
    names = ("good", "stale", "damaged", "absent")
    assert [name in store for name in names] == [True, False, False, False]
    for more in (0, 40):  # several, and so many that they are listed
        asked = [*names, *map(str, range(more))]
        assert store.select(asked, store.__contains__) == {"good"}
    with pytest.raises(FingerprintError, match="--overwrite stale"):
        store.read("stale")
    with pytest.raises(ArtifactError, match=f"{root}/videos/damaged.h5 is not a readable"):
        store.read("damaged")


def test_failures_are_rows_until_the_video_is_done(root: Address) -> None:
    store = FeatureStore.create(root, SPEC)
    store.record_failure("b", "b.mp4", "no reason")
    store.record_failure("a", "a.mp4", "first")
    store.record_failure("a", "a.mp4", "second")
    assert [(row.video_id, row.reason) for row in store.failures()] == [
        ("a", "second"),
        ("b", "no reason"),
    ]
    assert describe(str(root)).facts["failures"] == "2"
    store.write(features("b"))
    assert [row.video_id for row in store.failures()] == ["a"]
    assert avloc.verify([str(root), f"{root}/videos/b.h5"]).n_checked == 3
    write_object(root / "videos" / "c.h5", b"no features")
    assert [str(path) for path, _ in avloc.verify(str(root)).bad] == [f"{root}/videos/c.h5"]


def test_what_a_kill_left_of_a_copy_is_removed(scratch: Path) -> None:
    with scratch_file("a.mp4") as ours:
        assert ours.suffix == ".mp4"
        assert ours.stat().st_mode & 0o077 == 0
        left = ours.with_name(ours.name.replace(".partial", "0.partial"))
        left.write_bytes(b"half a video")
        sweep(scratch)
        assert [*scratch.iterdir()] == [ours]
    assert not [*scratch.iterdir()]


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (PermissionError("Forbidden"), "is refused: Forbidden. Set AWS_ACCESS_KEY_ID"),
        (FileNotFoundError("x/y"), "there is no such object: s3://lab/x. Check the address."),
        (TimeoutError(), "cannot be reached: TimeoutError. Check the network"),
        (OSError(22, "The bucket name is not valid"), "cannot be used: [Errno 22] The bucket"),
    ],
)
def test_what_drivers_raise_in_words(raised: Exception, expected: str) -> None:
    assert expected in line_of(in_words(Address("s3://lab/x"), raised))


def line_of(error: AvlocError) -> str:
    return " ".join(str(error).split())


def test_each_way_to_fail_is_a_line(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def failure(address: str, kind: type[AvlocError]) -> str:
        forget_connections()
        with pytest.raises(kind) as caught:
            FeatureStore.create(address, SPEC)
        assert "\n" not in str(caught.value)
        return line_of(caught.value)

    assert failure("s3://nobody/x", AddressError).startswith(
        "there is no such bucket: s3://nobody/x"
    )
    assert "Did you mean s3://?" in failure("s4://bucket/x", UsageError)
    assert "pip install gcsfs" in failure("gs://bucket/x", DependencyError)
    assert "pip install adlfs" in failure("az://bucket/x", DependencyError)
    with pytest.raises(ArtifactError, match=f"there is no feature store at {bucket}/none"):
        FeatureStore.open(f"{bucket}/none")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "Set AWS_ACCESS_KEY_ID" in failure(f"{bucket}/x", AddressError)
    monkeypatch.setitem(sys.modules, "s3fs", None)  # as if it were not installed
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3")
    with pytest.raises(DependencyError, match=r"pip install s3fs, or with the extra avloc\[s3\]"):
        FeatureStore.create("s3://bucket/x", SPEC)
    monkeypatch.undo()
    forget_connections()


def test_a_server_that_is_gone_is_a_line_and_leaves_nothing(
    root: Address, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FeatureStore.create(root, SPEC)
    store.write(features("a"))
    system, _ = fsspec.core.url_to_fs(root.url, use_listings_cache=False)  # the one in use

    def gone(*_: object, **__: object) -> None:
        raise ConnectionResetError("Connection lost")

    for name in ("put_file", "cat_file", "open"):
        monkeypatch.setattr(system, name, gone)
    with pytest.raises(AddressError, match="cannot be reached: Connection lost"):
        store.write(features("b"))
    with pytest.raises(AddressError, match="cannot be reached"):
        store.read("a")
    with pytest.raises(AddressError, match="cannot be reached"):
        _ = "a" in store  # not known is not absent
    monkeypatch.undo()
    assert store.video_ids() == ["a"]
    assert not [*scratch.iterdir()]
