"""Files that are no videos, and folders of them."""

from __future__ import annotations

import pytest
from media_clips import counter_clip, run_ffmpeg

from avloc.errors import MediaError
from avloc.media import (
    probe,
    read_frame_at,
    read_waveform,
    render_video,
    sampled_segments,
    video_files,
)
from avloc.timeline import Grid

DOORS = {
    "probe": probe,
    "read_waveform": read_waveform,
    "sampled_segments": lambda path: list(sampled_segments(path, rate=16, grid=Grid(1))),
    "read_frame_at": lambda path: read_frame_at(path, 0),
    "render_video": lambda path: render_video(
        path, path.with_name("out.mp4"), lambda picture, _: picture
    ),
}


def bad_file(kind, folder):
    path = folder / f"{kind}.mp4"
    if kind == "text":
        path.write_text("This is no video.\n" * 200)
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


@pytest.mark.parametrize("door", ["sampled_segments", "read_frame_at", "render_video"])
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


def test_a_file_is_taken_by_any_name(tmp_path):
    (tmp_path / "download").touch()
    assert video_files(tmp_path / "download") == [tmp_path / "download"]


def test_nothing_to_find_is_said(tmp_path):
    with pytest.raises(MediaError, match="no media file"):
        video_files(tmp_path)
    with pytest.raises(MediaError, match="does not exist"):
        video_files(tmp_path / "nowhere")
