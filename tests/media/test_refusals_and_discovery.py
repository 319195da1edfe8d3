"""Files that are not videos, and folders of them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from media_clips import (
    counter_clip,
    read_waveform,
    run_ffmpeg,
)
from PIL import Image

from avloc.errors import MediaError
from avloc.media import probe, read_frame, repaint, sampled_segments, video_files
from avloc.timeline import Grid

DOORS = {
    "probe": probe,
    "read_waveform": read_waveform,
    "sampled_segments": lambda path: list(sampled_segments(path, rate=16, grid=Grid(1))),
    "read_frame": lambda path: read_frame(path, 0),
    "repaint": lambda path: repaint(path, path.with_name("out.mp4"), lambda picture, _: picture),
}


def bad_file(kind, folder):
    path = folder / f"{kind}.mp4"
    if kind == "text":
        path.write_text("This is not a video.\n" * 200)
    elif kind == "subtitles":
        path.write_text("1\n00:00:00,000 --> 00:00:02,000\nHello\n")
    elif kind == "empty":
        path.touch()
    elif kind == "folder":
        path.mkdir()
    elif kind == "index lost":
        whole = counter_clip(folder / "whole.mp4")
        path.write_bytes(whole.read_bytes()[:2000])
    elif kind == "noise":
        path.write_bytes(bytes(range(256)) * 100)
    return path


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "kind", ["text", "subtitles", "empty", "folder", "missing", "index lost", "noise"]
)
def test_what_is_no_video_is_refused_in_one_line(tmp_path, kind, door):
    path = bad_file(kind, tmp_path)
    with pytest.raises(MediaError, match=rf"{kind}\.mp4") as caught:
        DOORS[door](path)
    assert "\n" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("door", ["sampled_segments", "read_frame", "repaint"])
def test_sound_alone_has_no_picture(tmp_path, door):
    whole = counter_clip(tmp_path / "whole.mp4")
    run_ffmpeg("-i", whole, "-vn", "-c", "copy", tmp_path / "song.m4a")
    with pytest.raises(MediaError, match="no picture"):
        DOORS[door](tmp_path / "song.m4a")


def test_a_folder_means_the_media_in_it(tmp_path):
    wanted = ["a.mp4", "B.MKV", "deep/er/c.webm", "deep/d.wav"]
    for name in [*wanted, "notes.txt", ".hidden.mp4", ".partial/x.mp4", "deep/e.jpg"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.mp4").mkdir()
    assert video_files(tmp_path) == sorted(tmp_path / name for name in wanted)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.mp4", "ffconcat version 1.0\nfile other/clip.ts\n"),
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nclip.ts\n#EXT-X-ENDLIST\n"),
        ("list%d.jpg", "picture"),
    ],
)
def test_a_list_of_other_files_is_not_opened(tmp_path, name, content, door):
    (tmp_path / "other").mkdir()
    clip = counter_clip(tmp_path / "clip.ts")
    shutil.copy(clip, tmp_path / "other")
    for number in range(3):
        Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(tmp_path / f"list{number}.jpg")
    (tmp_path / name).write_text(content)
    with av.open(str(tmp_path / name)) as container:  # FFmpeg itself opens them
        assert container.streams.video
    with pytest.raises(MediaError, match="cannot be opened"):
        DOORS[door](tmp_path / name)


def test_a_name_like_an_address_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    counter_clip(tmp_path / "clip.mp4").rename("concat:a.mp4")
    assert probe(Path("concat:a.mp4")).duration == 3


@pytest.mark.parametrize("door", [*DOORS, "video_files"])
def test_a_name_that_no_file_can_have_is_refused_in_one_line(tmp_path, door):
    with pytest.raises(MediaError, match="name too long"):
        {**DOORS, "video_files": video_files}[door](tmp_path / f"{'x' * 300}.mp4")


def test_links_to_folders_are_followed_once(tmp_path):
    """As with ``data/AVE/videos -> /big/AVE``; one link leads back up, and two to one folder."""
    data, big = tmp_path / "data", tmp_path / "big"
    (big / "deep").mkdir(parents=True)
    data.mkdir()
    for name in ("a.mp4", "deep/b.mp4"):
        (big / name).touch()
    (data / "own.mp4").touch()
    (data / "videos").symlink_to(big)
    (data / "again").symlink_to(big / "deep")
    (big / "deep" / "up").symlink_to(data)
    (data / "dangling").symlink_to(tmp_path / "nowhere")
    (data / "round.mp4").symlink_to(data / "round.mp4")
    (data / "link.mp4").symlink_to(big / "a.mp4")
    found = [path.relative_to(data).as_posix() for path in video_files(data)]
    assert [name for name in found if "/" not in name] == ["link.mp4", "own.mp4"]
    assert len([name for name in found if name.endswith("a.mp4")]) == 1
    assert len([name for name in found if name.endswith("b.mp4")]) == 1
    assert len(found) == 4
    assert len(video_files(data / "videos")) == 4  # the root may be a link itself


def test_a_heat_map_of_avloc_is_left_out_and_another_of_that_name_is_not(tmp_path):
    clip = counter_clip(tmp_path / "holiday.heatmap.mp4", "25", 10)
    made = tmp_path / "clip.heatmap.mp4"
    repaint(clip, made, lambda picture, _: picture, comment="avloc 0123456789")
    assert video_files(tmp_path) == [clip]
    assert video_files(made) == [made]


def test_a_pipe_is_neither_file_nor_folder(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(MediaError, match="a pipe or a device, not a regular file"):
        video_files(tmp_path / "pipe.mp4")


def test_a_file_is_taken_by_any_name(tmp_path):
    (tmp_path / "download").touch()
    assert video_files(tmp_path / "download") == [tmp_path / "download"]


def test_nothing_to_find_is_said(tmp_path):
    with pytest.raises(MediaError, match="no media file"):
        video_files(tmp_path)
    with pytest.raises(MediaError, match="does not exist"):
        video_files(tmp_path / "nowhere")
