"""What a video shows in each segment, against another program."""

from __future__ import annotations

import gc
import weakref
from fractions import Fraction

import numpy as np
import pytest
from media_clips import (
    counter_clip,
    read_counter,
    run_ffmpeg,
    sampled_by_ffmpeg,
)

from avloc.errors import MediaError, UnknownNameError, UsageError
from avloc.media import frame_index_at, probe, sampled_segments
from avloc.timeline import Grid

RATES = ["8", "25/2", "15", "24000/1001", "25", "30000/1001", "30", "32", "48", "96"]


def shown_numbers(segments) -> list[int]:
    return [read_counter(one.images[i]) for one in segments for i in one.which]


def used_frames(segments) -> list[int]:
    return np.concatenate([one.frame_index for one in segments]).tolist()


@pytest.mark.parametrize("rate", RATES)
def test_every_slot_shows_what_ffmpeg_shows(tmp_path, rate):
    clip = counter_clip(tmp_path / "clip.mp4", rate, int(3 * Fraction(rate)))
    truth = sampled_by_ffmpeg(clip, 16)
    flags: list[str] = []
    segments = list(sampled_segments(clip, rate=16, grid=Grid(3), flags=flags))
    assert len(truth) >= 47
    assert shown_numbers(segments)[: len(truth)] == truth[:48]
    assert used_frames(segments) == shown_numbers(segments)
    assert all(one.is_valid for one in segments)
    assert flags == []


@pytest.mark.parametrize("container", ["ts", "mkv", "avi"])
def test_the_container_does_not_matter(tmp_path, container):
    codec = () if container != "avi" else ("-c:v", "mpeg4", "-bf", "0", "-q:v", "2")
    options = {"codec": codec} if codec else {}
    clip = counter_clip(tmp_path / f"clip.{container}", "30", 90, sound=None, **options)
    segments = list(sampled_segments(clip, rate=16, grid=Grid(3)))
    assert shown_numbers(segments) == sampled_by_ffmpeg(clip, 16)[:48]


def test_a_variable_rate(tmp_path):
    crooked = ("-vf", "setpts='if(lt(N,20),N,if(lt(N,30),20+3*(N-20),50+(N-30)/2))'")
    clip = counter_clip(
        tmp_path / "clip.mp4", "25", 75, sound=None, after=(*crooked, "-fps_mode", "vfr")
    )
    segments = list(sampled_segments(clip, rate=16, grid=Grid(2)))
    assert shown_numbers(segments) == sampled_by_ffmpeg(clip, 16)[:32]


def test_an_edit_list_is_honoured(tmp_path):
    whole = counter_clip(tmp_path / "whole.mp4", "25", 75)
    cut = tmp_path / "cut.mp4"
    run_ffmpeg("-ss", "1", "-i", whole, "-c", "copy", cut)
    segments = list(sampled_segments(cut, rate=16, grid=Grid(2)))
    assert shown_numbers(segments) == sampled_by_ffmpeg(cut, 16)[:32]
    assert shown_numbers(segments)[0] == 25


def test_every_rate_of_samples_and_other_segments(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 75)
    times = [Fraction(k, 25) for k in range(75)]
    grid = Grid(4, Fraction(3, 4))
    segments = list(sampled_segments(clip, rate=8, grid=grid))
    assert used_frames(segments) == frame_index_at(times, 24, 8).tolist()
    assert [len(one.which) for one in segments] == [6] * 4
    with pytest.raises(UsageError, match="samples a segment"):
        sampled_segments(clip, rate=5, grid=grid)


def test_a_distinct_frame_is_made_once_and_shared(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "2.5", 8)  # 0.4 s a frame: some span segments
    calls: list[int] = []

    def resize(picture):
        calls.append(read_counter(picture))
        return picture[::2, ::2]

    segments = list(sampled_segments(clip, rate=16, grid=Grid(3), resize=resize))
    assert calls == sorted(set(calls)) == list(range(8))
    assert segments[0].images[-1] is segments[1].images[0]
    assert all(image.shape == (24, 32, 3) for one in segments for image in one.images)


def test_a_longer_grid_holds_the_last_frame(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 40)  # 1.6 s
    flags: list[str] = []
    segments = list(sampled_segments(clip, rate=16, grid=Grid(4), flags=flags))
    assert [one.is_valid for one in segments] == [True, True, False, False]
    assert used_frames(segments)[32:] == [39] * 32
    assert "padded" in flags


def test_a_shorter_grid_cuts(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 75)
    flags: list[str] = []
    segments = list(sampled_segments(clip, rate=16, grid=Grid(1), flags=flags))
    assert len(segments) == 1
    assert segments[0].is_valid
    assert flags == []


def test_one_frame_is_a_valid_segment(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "50", 1, sound=None)
    segments = list(sampled_segments(clip, rate=16, grid=Grid(2)))
    assert [one.is_valid for one in segments] == [True, False]
    assert used_frames(segments) == [0] * 32


def test_a_late_picture_is_held_back_from_the_common_origin(tmp_path):
    whole = counter_clip(tmp_path / "whole.mp4", "25", 75)
    late = tmp_path / "late.mp4"
    maps = ("-map", "0:v", "-map", "1:a", "-c", "copy")
    run_ffmpeg("-itsoffset", "1.28", "-i", whole, "-i", whole, *maps, late)
    flags: list[str] = []
    segments = list(sampled_segments(late, rate=16, grid=Grid(4), flags=flags))
    times = [Fraction(128, 100) + Fraction(k, 25) for k in range(75)]
    assert shown_numbers(segments) == frame_index_at(times, 64, 16).tolist()
    assert [one.is_valid for one in segments] == [False, True, True, True]
    assert flags == ["late_video"]


def test_raw_h264_has_its_times_rebuilt(tmp_path):
    clip = counter_clip(tmp_path / "clip.h264", "25", 75, sound=None)
    flags: list[str] = []
    segments = list(sampled_segments(clip, rate=16, grid=Grid(3), flags=flags))
    times = [Fraction(k, 25) for k in range(75)]
    assert shown_numbers(segments) == frame_index_at(times, 48, 16).tolist()
    assert "pts_rebuilt" in flags
    info = probe(clip)
    assert info.duration == 3
    assert "pts_rebuilt" in info.flags


@pytest.mark.parametrize("rate", ["25", "30"])
def test_h264_in_avi_keeps_the_decoders_order(tmp_path, rate):
    mp4 = counter_clip(tmp_path / "clip.mp4", rate, 90, sound=None)
    avi = tmp_path / "clip.avi"
    run_ffmpeg("-i", mp4, "-c", "copy", avi)
    flags: list[str] = []
    segments = list(sampled_segments(avi, rate=16, grid=Grid(3), flags=flags))
    times = [Fraction(k) / Fraction(rate) for k in range(90)]
    assert shown_numbers(segments) == frame_index_at(times, 48, 16).tolist()
    assert "pts_rebuilt" in flags


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_shows_what_a_player_shows(tmp_path, degrees):
    plain = tmp_path / "plain.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=8:d=1", "-pix_fmt", "yuv420p", plain)
    turned = tmp_path / "turned.mp4"
    run_ffmpeg("-display_rotation", degrees, "-i", plain, "-c", "copy", turned)
    flags: list[str] = []
    segment = next(sampled_segments(turned, rate=8, grid=Grid(1)))
    list(sampled_segments(turned, rate=8, grid=Grid(1), flags=flags))
    raw = run_ffmpeg("-i", turned, "-frames:v", 1, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    shown = np.frombuffer(raw, np.uint8).reshape(segment.images[0].shape)
    assert np.abs(segment.images[0].astype(int) - shown).mean() < 3
    width, height = probe(turned).frame_size
    assert segment.images[0].shape == (height, width, 3)
    assert probe(turned).rotation == degrees
    assert flags == ["rotated"]


def test_the_size_may_change_in_the_middle(tmp_path):
    parts = []
    for name, size in (("a.ts", "64x48"), ("b.ts", "96x64")):
        parts.append(tmp_path / name)
        source = f"testsrc=s={size}:r=25:d=1"
        offset = len(parts) - 1
        run_ffmpeg(
            *("-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", "-output_ts_offset", offset),
            parts[-1],
        )
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    sizes = [
        {image.shape[:2] for image in one.images}
        for one in sampled_segments(both, rate=16, grid=Grid(2))
    ]
    assert sizes[0] >= {(48, 64)}
    assert (64, 96) in sizes[1]


def test_times_that_start_again_are_counted_on(tmp_path):
    part = counter_clip(tmp_path / "part.ts", "25", 50, sound=None)
    twice = tmp_path / "twice.ts"
    twice.write_bytes(part.read_bytes() * 2)
    flags: list[str] = []
    segments = list(sampled_segments(twice, rate=25, grid=Grid(4), flags=flags))
    assert used_frames(segments) == list(range(100))
    assert shown_numbers(segments) == [*range(50), *range(50)]
    assert "pts_rebuilt" in flags


@pytest.mark.parametrize("pixels", ["yuv420p10le", "yuv444p", "gray", "yuvj420p"])
def test_every_kind_of_pixel(tmp_path, pixels):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 50, sound=None, after=("-pix_fmt", pixels))
    segments = list(sampled_segments(clip, rate=25, grid=Grid(2)))
    assert shown_numbers(segments) == list(range(50))
    assert segments[0].images[0].dtype == np.uint8


def test_a_gif_is_a_video(tmp_path):
    clip = counter_clip(
        tmp_path / "clip.gif",
        "25",
        50,
        sound=None,
        codec=("-c:v", "gif"),
        after=("-pix_fmt", "gray"),
    )
    assert shown_numbers(sampled_segments(clip, rate=25, grid=Grid(2))) == list(range(50))


def test_a_cover_picture_is_no_video(tmp_path):
    cover, clip = tmp_path / "cover.png", counter_clip(tmp_path / "clip.mp4", "25", 50)
    run_ffmpeg("-f", "lavfi", "-i", "color=red:s=128x128", "-frames:v", 1, cover)
    both = tmp_path / "both.mp4"
    maps = ("-map", "1:v", "-map", "0:v", "-map", "0:a", "-c", "copy")
    run_ffmpeg("-i", clip, "-i", cover, *maps, "-disposition:v:0", "attached_pic", both)
    assert probe(both).frame_size == (64, 48)
    assert shown_numbers(sampled_segments(both, rate=16, grid=Grid(2)))[-1] == 49
    song = tmp_path / "song.m4a"
    maps = ("-map", "0:a", "-map", "1:v", "-c", "copy")
    run_ffmpeg("-i", clip, "-i", cover, *maps, "-disposition:v:0", "attached_pic", song)
    assert not probe(song).has_video
    with pytest.raises(MediaError, match="no picture"):
        next(sampled_segments(song, rate=16, grid=Grid(2)))


def test_a_truncated_file_keeps_what_it_has(tmp_path):
    whole = counter_clip(tmp_path / "whole.mp4", "25", 100, after=("-movflags", "faststart"))
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    flags: list[str] = []
    segments = list(sampled_segments(cut, rate=16, grid=Grid(4), flags=flags))
    numbers = shown_numbers(segments)
    assert numbers[:16] == sampled_by_ffmpeg(whole, 16)[:16]
    assert not segments[3].is_valid
    assert numbers[-1] < 99
    assert {"truncated", "padded"} <= set(flags)


def test_damage_in_the_middle_does_not_end_the_video(tmp_path):
    whole = counter_clip(tmp_path / "whole.ts", "25", 100, after=("-g", "10"))
    data = bytearray(whole.read_bytes())
    middle = len(data) * 2 // 5
    noise = np.random.default_rng(0).integers(0, 256, 3000, dtype=np.uint8)
    data[middle : middle + 3000] = noise.tobytes()
    bad = tmp_path / "bad.ts"
    bad.write_bytes(bytes(data))
    flags: list[str] = []
    segments = list(sampled_segments(bad, rate=16, grid=Grid(4), flags=flags))
    assert (
        shown_numbers(segments)[-1]
        == shown_numbers(sampled_segments(whole, rate=16, grid=Grid(4)))[-1]
    )
    assert "corrupt" in flags


def test_ave2018_takes_frames_by_count(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 98)
    segments = list(sampled_segments(clip, rate=16, grid=Grid(3), sampling="ave2018"))
    n = int(98 / 3)
    assert shown_numbers(segments) == [int(t * n + j / 16 * n) for t in range(3) for j in range(16)]
    with pytest.raises(UnknownNameError, match="ave2019"):
        sampled_segments(clip, rate=16, grid=Grid(3), sampling="ave2019")


def test_what_was_shown_is_let_go(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 250, sound=None)
    images: list[weakref.ref[np.ndarray]] = []
    for segment in sampled_segments(clip, rate=16, grid=Grid(10)):
        images += [weakref.ref(image) for image in segment.images]
        del segment
        gc.collect()
        assert (
            sum(image() is not None for image in images) <= 17
        )  # its own, and the one that may span


@pytest.mark.real
def test_real_clips_show_what_ffmpeg_shows(real_data):
    clips = sorted((real_data / "AVE_Dataset" / "AVE").glob("*.mp4"))
    assert clips
    for clip in clips[:2]:
        segments = list(
            sampled_segments(clip, rate=16, grid=Grid(3), resize=lambda picture: picture[::8, ::8])
        )
        width, height = probe(clip).frame_size
        size = (height, width, 3)
        raw = run_ffmpeg(
            *("-i", clip, "-t", 3, "-vf", "fps=16", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
        )
        truth = np.frombuffer(raw, np.uint8).reshape(-1, *size)[:48, ::8, ::8]
        ours = np.stack([one.images[i] for one in segments for i in one.which])
        assert np.abs(ours.astype(int) - truth).mean(axis=(1, 2, 3)).max() < 3
