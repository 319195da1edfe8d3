"""Which frame stands for which sample, against `ffmpeg -vf fps=16`, slot by slot.

Every frame of a clip carries its number, so what ffmpeg shows in a slot tells which frame it
picked. All clips but one have B-frames.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from media_clips import (
    counter_clip,
    frame_index_at,
    has_b_frames,
    run_ffmpeg,
    sampled_by_ffmpeg,
    shown_numbers,
)

from avloc.errors import UnknownNameError
from avloc.media import ave2018_frame_index, probe, sampled_segments
from avloc.timeline import Grid

NAMED_RATES = {
    "8": "8",
    "12.5": "25/2",
    "15": "15",
    "16": "16",
    "23.976": "24000/1001",
    "25": "25",
    "29.97": "30000/1001",
    "30": "30",
    "32": "32",
    "48": "48",
    "50": "50",
    "60": "60",
    "96": "96",
}


def shown_and_used(path: Path, n_segments: int, **options: object) -> tuple[list[int], list[int]]:
    """The numbers that are shown in each slot, and `frame_index`."""
    segments = list(sampled_segments(path, rate=16, grid=Grid(n_segments), **options))
    shown = shown_numbers(segments)
    return shown, np.concatenate([each.frame_index for each in segments]).tolist()


@pytest.mark.parametrize("name", NAMED_RATES)
def test_every_slot_at_a_rate(tmp_path, name):
    rate = Fraction(NAMED_RATES[name])
    clip = counter_clip(tmp_path / "clip.mp4", NAMED_RATES[name], int(3 * rate) + 3)
    flags: list[str] = []
    shown, used = shown_and_used(clip, 3, flags=flags)
    truth = sampled_by_ffmpeg(clip, 16)
    assert len(truth) >= 48
    assert shown == used == truth[:48]
    assert used == frame_index_at([k / rate for k in range(int(3 * rate) + 3)], 48, 16).tolist()
    assert has_b_frames(clip)
    assert flags == []


def test_every_slot_at_a_variable_rate(tmp_path):
    # 25 a second, then 8 1/3, then 50; in milliseconds, so that no two frames fall together
    crooked = "settb=1/1000,setpts='if(lt(N,20),40*N,if(lt(N,30),800+120*(N-20),2000+20*(N-30)))'"
    after = ("-vf", crooked, "-fps_mode", "passthrough", "-enc_time_base", "1/1000")
    clip = counter_clip(tmp_path / "clip.mp4", "25", 81, sound=None, after=after)
    truth = sampled_by_ffmpeg(clip, 16)
    shown, used = shown_and_used(clip, 3)
    assert len(truth) >= 48
    assert shown == used == truth[:48]
    assert {b - a for a, b in pairwise(truth[:48])} == {0, 1, 2, 3, 4}  # crooked indeed
    assert has_b_frames(clip)


def test_every_slot_of_late_video(tmp_path):
    whole, late = counter_clip(tmp_path / "whole.mp4", "25", 75), tmp_path / "late.mp4"
    maps = ("-map", "0:v", "-map", "1:a", "-c", "copy")
    run_ffmpeg("-itsoffset", "1.28", "-i", whole, "-i", whole, *maps, late)
    flags: list[str] = []
    shown, used = shown_and_used(late, 4, flags=flags)
    truth = sampled_by_ffmpeg(late, 16)
    assert len(truth) >= 64
    assert shown == used == truth[:64]
    assert shown[:21] == [0] * 21  # held back to the common origin
    assert flags == ["late_video"]
    assert has_b_frames(late)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_every_slot_of_late_audio(tmp_path, suffix):
    whole, late = counter_clip(tmp_path / "whole.mp4", "25", 75), tmp_path / f"late.{suffix}"
    maps = ("-map", "0:v", "-map", "1:a", "-c", "copy")
    run_ffmpeg("-i", whole, "-itsoffset", "0.75", "-i", whole, *maps, late)
    flags: list[str] = []
    shown, used = shown_and_used(late, 3, flags=flags)
    truth = sampled_by_ffmpeg(late, 16, has_sound=True)
    assert len(truth) >= 47
    assert shown[: len(truth)] == truth[:48]
    assert used == shown
    assert flags == []
    assert has_b_frames(late)


def test_every_slot_of_an_edit_list(tmp_path):
    whole, cut = counter_clip(tmp_path / "whole.mp4", "25", 75), tmp_path / "cut.mp4"
    run_ffmpeg("-ss", "1.1", "-i", whole, "-c", "copy", cut)
    shown, used = shown_and_used(cut, 2)
    truth = sampled_by_ffmpeg(cut, 16)
    assert len(truth) == 30
    assert shown[:30] == truth
    assert used == [number - 28 for number in shown]  # the first that is shown is frame 0
    assert probe(cut).duration == Fraction(19, 10)
    assert has_b_frames(cut)


@pytest.mark.parametrize("suffix", ["ts", "mkv", "mov", "flv", "avi"])
def test_every_slot_in_another_container(tmp_path, suffix):
    """With sound, whose lead-in lies before the picture in some: one origin for both."""
    codec = {"codec": ("-c:v", "mpeg4", "-bf", "0", "-q:v", "2")} if suffix == "avi" else {}
    clip = counter_clip(tmp_path / f"clip.{suffix}", "30", 90, **codec)
    truth = sampled_by_ffmpeg(clip, 16, has_sound=True)
    shown, used = shown_and_used(clip, 3)
    assert len(truth) >= 47
    assert shown[: len(truth)] == used[: len(truth)] == truth[:48]
    assert has_b_frames(clip) == (suffix != "avi")


def script_of_2018(n_frames: int, n_segments: int) -> list[int]:
    n = int(n_frames / n_segments)
    return [int(t * n + j / 16 * n) for t in range(n_segments) for j in range(16)]


def test_ave2018_takes_frames_by_count(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 98)
    shown, used = shown_and_used(clip, 3, sampling="ave2018")
    assert shown == used == script_of_2018(98, 3) == ave2018_frame_index(98, 3, 16).tolist()
    assert shown != shown_and_used(clip, 3)[0]
    with pytest.raises(UnknownNameError, match="ave2019"):
        next(sampled_segments(clip, rate=16, grid=Grid(3), sampling="ave2019"))


def test_ave2018_counts_what_an_edit_list_leaves(tmp_path):
    """`stream.frames` still says 75: 27 more than are shown."""
    whole, cut = counter_clip(tmp_path / "whole.mp4", "25", 75), tmp_path / "cut.mp4"
    run_ffmpeg("-ss", "1.08", "-i", whole, "-c", "copy", cut)
    shown, used = shown_and_used(cut, 2, sampling="ave2018")
    assert used == script_of_2018(48, 2)
    assert shown == [27 + index for index in used]


@pytest.mark.real
def test_real_clips_show_what_ffmpeg_shows(real_data):
    clips = sorted((real_data / "AVE_Dataset" / "AVE").glob("*.mp4"))
    assert clips
    for clip in clips[:2]:
        segments = list(
            sampled_segments(clip, rate=16, grid=Grid(3), resize=lambda picture: picture[::8, ::8])
        )
        width, height = probe(clip).frame_size
        raw = run_ffmpeg(
            *("-i", clip, "-t", 3, "-vf", "fps=16", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
        )
        truth = np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)[:48, ::8, ::8]
        ours = np.stack([each.images[i] for each in segments for i in each.which])
        assert np.abs(ours.astype(int) - truth).mean(axis=(1, 2, 3)).max() < 3
