import os
from pathlib import Path

import pytest

from avloc.datasets import load_dataset
from avloc.errors import DatasetError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_a_folder_of_videos_has_no_rows(tmp_path):
    touch(tmp_path, "b.mp4", "-a.mkv", "in/c.mov", "notes.txt")
    dataset = load_dataset(tmp_path)
    assert {key: path.relative_to(tmp_path).as_posix() for key, path in dataset.videos.items()} == {
        "-a": "-a.mkv",
        "b": "b.mp4",
        "c": "in/c.mov",
    }
    assert (dataset.rows, dataset.labels.names, dataset.n_segments) == ((), (), None)
    assert (dataset.coverage.present, dataset.coverage.total) == (3, 3)


def test_one_file_is_one_video(tmp_path):
    touch(tmp_path, "a.mp4", "b.mp4")
    assert load_dataset(str(tmp_path / "b.mp4")).videos == {"b": tmp_path / "b.mp4"}


def test_names_that_clash_become_paths(tmp_path):
    touch(tmp_path, "x/cam.mp4", "y/cam.mp4", "y/cam.mkv", "x__cam.mp4", "free.mp4")
    videos = load_dataset(tmp_path).videos
    named = {path.relative_to(tmp_path).as_posix(): key for key, path in videos.items()}
    assert len(named) == 5
    assert named["free.mp4"] == "free"
    assert "cam" not in videos
    assert named["y/cam.mkv"] == "y__cam"
    assert named["y/cam.mp4"] == "y__cam.mp4"


def test_any_file_name_becomes_an_id_that_is_a_file_name(tmp_path):
    raw_names = [b"a\nb.mp4", b"\xff\xfe.mp4", ("é" * 120).encode() + b".mp4", b"a\tb.mp4"]
    for raw in raw_names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + raw)).touch()
    videos = load_dataset(tmp_path).videos
    assert len(videos) == len(raw_names)
    for video_id in videos:
        assert (tmp_path / f"{video_id}.h5").parent == tmp_path
        assert len(video_id.encode()) <= 200
        assert "\n" not in video_id


def test_nothing_there_says_what_a_data_set_is(tmp_path):
    with pytest.raises(DatasetError, match="no such file or folder"):
        load_dataset(tmp_path / "gone")
    with pytest.raises(DatasetError, match="no data set and no video") as caught:
        load_dataset(tmp_path)
    assert "Annotations.txt" in caught.value.hint
    assert "manifest.csv" in caught.value.hint
