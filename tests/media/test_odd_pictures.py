"""Pictures that are turned, covers, of two sizes, deep, narrow, tiny or not square."""

from __future__ import annotations

from functools import partial

import av
import numpy as np
import odd_files
import pytest
from media_clips import (
    H264,
    counter_clip,
    read_counter,
    run_ffmpeg,
    sampled_by_ffmpeg,
    shown_numbers,
)
from odd_files import pictured

from avloc.errors import MediaError
from avloc.media import probe, sampled_segments
from avloc.timeline import Grid

DEEP = ("-pix_fmt", "yuv420p10le", "-vf")


@pytest.mark.parametrize(("degrees", "turns"), [(90, 1), (180, 2), (270, 3)])
def test_a_turned_picture_is_made_upright(tmp_path, degrees, turns):
    turned = odd_files.turned(tmp_path, degrees)
    flags: list[str] = []
    segments = list(sampled_segments(turned, rate=16, grid=Grid(3), flags=flags))
    upright = [np.rot90(each.images[i], -turns) for each in segments for i in each.which]
    assert [read_counter(picture) for picture in upright] == sampled_by_ffmpeg(
        odd_files.plain(tmp_path), 16
    )[:48]
    assert "rotated" in probe(turned).flags
    assert flags == ["rotated"]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_upright_is_what_a_player_shows(tmp_path, degrees):
    plain, turned = tmp_path / "plain.mp4", tmp_path / "turned.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=8:d=1", "-pix_fmt", "yuv420p", plain)
    run_ffmpeg("-display_rotation", degrees, "-i", plain, "-c", "copy", turned)
    picture = next(sampled_segments(turned, rate=8, grid=Grid(1))).images[0]
    raw = run_ffmpeg("-i", turned, "-frames:v", 1, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    shown = np.frombuffer(raw, np.uint8).reshape(picture.shape).astype(int)
    assert np.abs(picture - shown).mean() < 3
    assert np.abs(picture[::-1, ::-1] - shown).mean() > 30  # the other way round would show
    width, height = probe(turned).frame_size
    assert picture.shape == (height, width, 3)


def test_the_size_may_change_in_the_middle(tmp_path):
    flags: list[str] = []
    both = odd_files.two_sizes(tmp_path)
    segments = list(
        sampled_segments(
            both, rate=16, grid=Grid(2), flags=flags, resize=lambda picture: picture[:48]
        )
    )
    sizes = [{image.shape[:2] for image in each.images} for each in segments]
    assert sizes == [{(48, 64)}, {(48, 96)}]  # each before its own resizing
    assert flags == ["size_changed"]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_cover_picture_is_no_video(tmp_path, suffix):
    both = odd_files.with_cover(tmp_path, has_video=True)
    if suffix == "mkv":  # where a cover is an attachment
        cover, clip = tmp_path / "cover.png", tmp_path / "plain.mp4"
        both = tmp_path / "both.mkv"
        named = ("-metadata:s:t", "mimetype=image/png", "-metadata:s:t", "filename=cover.png")
        run_ffmpeg("-i", clip, "-attach", cover, *named, "-c", "copy", both)
    with av.open(str(both)) as container:
        assert len(container.streams.video) == 2
    assert probe(both).frame_size == (64, 48)
    segments = list(sampled_segments(both, rate=16, grid=Grid(3)))
    numbers = shown_numbers(segments)
    assert numbers == sampled_by_ffmpeg(tmp_path / "plain.mp4", 16)[:48]


def test_a_song_with_a_cover_has_no_picture(tmp_path):
    song = odd_files.with_cover(tmp_path, has_video=False)
    with av.open(str(song)) as container:
        assert len(container.streams.video) == 1
    assert not probe(song).has_video
    with pytest.raises(MediaError, match="no picture"):
        next(sampled_segments(song, rate=16, grid=Grid(2)))


ODDITIES = {
    "pq": (pictured("64x48", *DEEP, "setparams=color_trc=smpte2084"), "high_bit_depth hdr"),
    "hlg": (pictured("64x48", *DEEP, "setparams=color_trc=arib-std-b67"), "high_bit_depth hdr"),
    "ten bits": (pictured("64x48", *DEEP, "null"), "high_bit_depth"),
    "portrait": (pictured("48x64"), "portrait"),
    "wide pixels": (pictured("64x48", "-vf", "setsar=4/3"), "non_square_pixels"),
    "48x32": (pictured("48x32"), "low_resolution"),
    "64x48": (pictured("64x48"), ""),
    "on its side": (partial(odd_files.turned, degrees=270), "rotated portrait"),
    "upside down": (partial(odd_files.turned, degrees=180), "rotated"),
}


@pytest.mark.parametrize("name", ODDITIES)
def test_an_odd_picture_is_taken_as_it_is_and_flagged(tmp_path, name):
    make, flags = ODDITIES[name]
    path = make(tmp_path)
    info = probe(path)
    assert sorted(set(info.flags) - {"no_audio"}) == sorted(flags.split())
    segment = next(sampled_segments(path, rate=4, grid=Grid(1)))
    assert {image.shape for image in segment.images} == {(*info.frame_size[::-1], 3)}
    assert segment.images[0].dtype == np.uint8
    assert segment.images[0].std() > 20


@pytest.mark.parametrize("pixels", ["yuv420p10le", "yuv444p", "gray", "yuvj420p"])
def test_every_kind_of_pixel(tmp_path, pixels):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 50, sound=None, after=("-pix_fmt", pixels))
    segments = list(sampled_segments(clip, rate=25, grid=Grid(2)))
    assert shown_numbers(segments) == list(range(50))
    assert segments[0].images[0].dtype == np.uint8


@pytest.mark.parametrize("codec", [("-c:v", "gif"), H264])
def test_grey_levels_are_kept(tmp_path, codec):
    """Neither the range nor the matrix of the colours is mistaken: black is 0, white 255."""
    suffix, pixels = ("gif", "gray") if codec[1] == "gif" else ("mp4", "yuv420p")
    clip = tmp_path / f"clip.{suffix}"
    counter_clip(clip, "25", 50, sound=None, codec=codec, after=("-pix_fmt", pixels))
    segments = list(sampled_segments(clip, rate=25, grid=Grid(2)))
    assert shown_numbers(segments) == list(range(50))
    picture = segments[1].images[0]
    assert picture.min() <= 3
    assert picture.max() >= 252
