"""Data sets at addresses are those of the same files on this machine; no video is fetched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from avloc.artifacts import Address, staged
from avloc.datasets import Dataset, find_boxes, load_dataset
from avloc.errors import DatasetError, UsageError
from avloc.stages.input_videos import find_videos

AVE = "Category&VideoID&Quality&StartTime&EndTime\nDog&a b&good&0&3\nCat&c&bad&2&5\n"
ROWS = "video,label,start,end,split\nclips/a.mp4,dog,0,1,train\nclips/gone.mp4,cat,0,1,train\n"


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which objects are read."""
    names: list[str] = []
    whole, opened = MemoryFileSystem.cat_file, MemoryFileSystem.open

    def cat_file(self: MemoryFileSystem, path: str, *args: object, **kwargs: object) -> bytes:
        names.append(path.rpartition("/")[2])
        return whole(self, path, *args, **kwargs)

    def open_file(self: MemoryFileSystem, path: str, mode: str = "rb", **kwargs: object) -> object:
        if "r" in mode:
            names.append(path.rpartition("/")[2])
        return opened(self, path, mode, **kwargs)

    monkeypatch.setattr(MemoryFileSystem, "cat_file", cat_file)
    monkeypatch.setattr(MemoryFileSystem, "open", open_file)
    return names


def make(folder: Path, **files: str) -> Address:
    """Write the same files into a folder and at an address."""
    root = Address(f"memory://sets/{uuid4().hex}/{folder.name}")
    system, path = fsspec.core.url_to_fs(root.url)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        system.pipe_file(f"{path}/{name}", text.encode())
    return root


def moved(dataset: Dataset, folder: Path, root: Address) -> Dataset:
    """Return a data set of a folder as it is at an address."""

    def at(path: object) -> Address:
        return Address(str(path).replace(str(folder), str(root)))

    videos = {name: at(path) for name, path in dataset.videos.items()}
    return replace(dataset, root=at(dataset.root), videos=videos)


@pytest.mark.parametrize("inside", ["", "/Annotations.txt"])
def test_aves_layout(tmp_path: Path, fetched: list[str], inside: str) -> None:
    splits = {"trainSet.txt": AVE.splitlines()[1], "valSet.txt": "", "testSet.txt": ""}
    files = {"Annotations.txt": AVE, "AVE/a b.mp4": "no", "AVE/c.mkv": "no", "README": "no"}
    root = make(tmp_path, **files, **splits, **{"boxes.json": '{"c": [[0, 0, 1, 1]]}'})
    here, there = (load_dataset(f"{place}{inside}") for place in (tmp_path, root))
    assert there == moved(here, tmp_path, root)
    assert there.coverage.present == 2
    assert find_boxes(there.root) == find_boxes(here.root) != {}
    assert not {"a b.mp4", "c.mkv", "README"} & set(fetched)
    with staged(there.videos["c"]) as copy:
        assert copy.read_text() == "no"


@pytest.mark.parametrize("inside", ["", "/manifest.csv"])
def test_a_manifest_with_its_videos_beside_it(tmp_path: Path, inside: str) -> None:
    root = make(tmp_path, **{"manifest.csv": ROWS, "clips/a.mp4": "no", "clips/b.mp4": "no"})
    here, there = (load_dataset(f"{place}{inside}") for place in (tmp_path, root))
    assert there == moved(here, tmp_path, root)
    assert there.coverage.missing == ("gone",)
    [(_, video)] = find_videos([f"{root}{inside}"]).videos
    assert video == root / "clips/a.mp4"


def test_a_manifest_here_names_videos_elsewhere(tmp_path: Path, fetched: list[str]) -> None:
    (tmp_path / "m.csv").write_text(
        "video,label,start,end\nmemory://far/dog 1.mp4,dog,0,1\ns3://bucket/x/cat.mkv,cat,0,2\n"
    )
    dataset = load_dataset(tmp_path / "m.csv")
    assert {name: str(video) for name, video in dataset.videos.items()} == {
        "dog 1": "memory://far/dog 1.mp4",
        "cat": "s3://bucket/x/cat.mkv",
    }
    assert fetched == []


def test_a_folder_and_a_single_video(tmp_path: Path, fetched: list[str]) -> None:
    files = {"x/a.mp4": "1", "y/a.mp4": "2", "b.wav": "3", ".hidden.mp4": "4", "z.heatmap.mp4": "5"}
    root = make(tmp_path, **files)
    there = load_dataset(root)
    named = {name: str(video).removeprefix(f"{root}/") for name, video in there.videos.items()}
    assert named == {"b": "b.wav", "x__a": "x/a.mp4", "y__a": "y/a.mp4"}
    one = load_dataset(root / "b.wav")
    assert (one.root, one.videos) == (root / "b.wav", {"b": root / "b.wav"})
    assert fetched == []


def test_what_is_wrong_is_said_of_the_address(tmp_path: Path) -> None:
    root = make(tmp_path, **{"bad.csv": "video,lable\na.mp4,dog\n", "empty/readme.md": ""})
    with pytest.raises(DatasetError, match=rf"^{root}/bad.csv, line 1: .*lable"):
        load_dataset(root / "bad.csv")
    with pytest.raises(DatasetError, match=rf"^{root}/none.csv: there is no such object"):
        load_dataset(root / "none.csv")
    with pytest.raises(DatasetError, match=rf"^{root}/empty: holds no data set and no video"):
        load_dataset(root / "empty")
    with pytest.raises(UsageError, match="one protocol"):
        load_dataset("memory://a::memory://b")
