"""A video as segments: what is made once, held, cut, padded, and let go."""

from __future__ import annotations

import gc
import weakref
from fractions import Fraction

import av
import numpy as np
import pytest
from media_clips import (
    H264,
    counter_clip,
    frame_index_at,
    read_counter,
    run_ffmpeg,
)

from avloc.decoding.clip_decoding import DecodingTask, decode_clip
from avloc.errors import UsageError
from avloc.media import probe, sampled_segments
from avloc.spec import FeatureSpec
from avloc.timeline import Grid


def used_frames(segments) -> list[int]:
    return np.concatenate([each.frame_index for each in segments]).tolist()


def test_every_rate_of_samples_and_other_segments(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 75)
    times = [Fraction(k, 25) for k in range(75)]
    grid = Grid(4, Fraction(3, 4))
    segments = list(sampled_segments(clip, rate=8, grid=grid))
    assert used_frames(segments) == frame_index_at(times, 24, 8).tolist()
    assert [len(each.which) for each in segments] == [6] * 4
    with pytest.raises(UsageError, match="samples a segment"):
        next(sampled_segments(clip, rate=5, grid=grid))


def test_a_distinct_frame_is_made_once_and_shared(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "2.5", 8)  # 0.4 s a frame: some span segments
    calls: list[int] = []

    def resize(picture):
        calls.append(read_counter(picture))
        return picture[::2, ::2]

    segments = list(sampled_segments(clip, rate=16, grid=Grid(3), resize=resize))
    assert calls == sorted(set(calls)) == list(range(8))
    assert segments[0].images[-1] is segments[1].images[0]
    assert all(image.shape == (24, 32, 3) for each in segments for image in each.images)


def test_a_longer_grid_holds_the_last_frame(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 40)  # 1.6 s
    flags: list[str] = []
    segments = list(sampled_segments(clip, rate=16, grid=Grid(4), flags=flags))
    assert [each.is_valid for each in segments] == [True, True, False, False]
    assert used_frames(segments)[32:] == [39] * 32
    assert "padded" in flags


def test_a_shorter_grid_cuts(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 75)
    flags: list[str] = []
    segments = list(sampled_segments(clip, rate=16, grid=Grid(1), flags=flags))
    assert len(segments) == 1
    assert segments[0].is_valid
    assert flags == []


@pytest.mark.parametrize("n_segments", [1, 2])
def test_one_frame_is_a_valid_segment_and_padded(tmp_path, n_segments):
    clip = counter_clip(tmp_path / "clip.mp4", "50", 1, sound=None)
    flags: list[str] = []
    segments = list(sampled_segments(clip, rate=16, grid=Grid(n_segments), flags=flags))
    assert [each.is_valid for each in segments] == [True, False][:n_segments]
    assert used_frames(segments) == [0] * 16 * n_segments
    assert flags == ["padded"]


@pytest.mark.parametrize(("n_frames", "is_padded"), [(61, True), (62, True), (63, False)])
def test_more_than_half_a_segment_past_the_end_is_padding(tmp_path, n_frames, is_padded):
    """A grid by duration has at most half: 2.5 s make three segments, 2.48 s two."""
    clip = counter_clip(tmp_path / "clip.mp4", "25", n_frames, sound=None)
    flags: list[str] = []
    segments = list(sampled_segments(clip, rate=16, grid=Grid(3), flags=flags))
    assert [each.is_valid for each in segments] == [True] * 3
    assert flags == ["padded"] * is_padded
    own: list[str] = []
    list(sampled_segments(clip, rate=16, grid=Grid.of_duration(probe(clip).duration), flags=own))
    assert own == []


def test_late_pictures_are_not_valid_before_they_begin(tmp_path):
    whole, late = counter_clip(tmp_path / "whole.mp4"), tmp_path / "late.mp4"
    maps = ("-map", "0:v", "-map", "1:a", "-c", "copy")
    run_ffmpeg("-itsoffset", "1.28", "-i", whole, "-i", whole, *maps, late)
    segments = list(sampled_segments(late, rate=16, grid=Grid(4)))
    assert [each.is_valid for each in segments] == [False, True, True, True]


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


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "webm", "mov"])
def test_a_clip_is_opened_three_times(tmp_path, monkeypatch, suffix):
    """To look, for its picture and for its sound: each time FFmpeg decodes to find the streams."""
    vp8 = ("-c:v", "libvpx", "-deadline", "realtime")
    codec, sound = (vp8, ("-c:a", "libopus")) if suffix == "webm" else (H264, ())
    clip = counter_clip(tmp_path / f"clip.{suffix}", "25", 75, codec=codec, after=sound)
    opened = []

    def noted(name, *arguments, **options):
        opened.append(name)
        return plainly(name, *arguments, **options)

    plainly = av.open
    monkeypatch.setattr(av, "open", noted)
    spec = FeatureSpec("x", "", "logmel", "")
    assert len(list(decode_clip(DecodingTask("clip", clip, spec)))) == 3 + 1
    n_to_measure = suffix == "ts"  # which states no length
    assert opened == [str(clip)] * (3 + n_to_measure)
