"""Videos that are written: from arrays, and from other videos."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from faulty_files import faulty_file
from media_clips import (
    H264,
    counter_clip,
    numbers_and_flags,
    origin_of,
    read_counter,
    read_waveform,
    run_ffmpeg,
    sampled_by_ffmpeg,
    sound_by_ffmpeg,
)

from avloc.errors import MediaError, OutputError, UsageError
from avloc.media import comment_of, probe, read_frame, repaint, sampled_segments, write_clip
from avloc.media.picture_encoder import CONTAINERS
from avloc.timeline import Grid


def packets_of(path, kind):
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[0]
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


def times_of(path):
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def unchanged(picture, _seconds):
    return picture


def colours(n=20, height=48, width=64):
    rng = np.random.default_rng(3)
    for colour in rng.integers(30, 226, (n, 3), dtype=np.uint8):
        yield np.broadcast_to(colour, (height, width, 3)).copy()


@pytest.mark.parametrize("rate", [8, 25, Fraction(30000, 1001)])
def test_a_written_clip_reads_back(tmp_path, rate):
    path = tmp_path / "a.mp4"
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * 44100) / 44100).astype(np.float32)
    written = list(colours())
    write_clip(path, written, rate, tone, 44100)
    assert times_of(path) == [k / Fraction(rate) for k in range(20)]
    wave = read_waveform(path)
    assert wave.is_valid_until == pytest.approx(2, abs=1e-3)
    assert np.abs(wave.samples[2048:80000] - tone[2048:80000]).max() < 0.05
    for k in (0, 7, 19):
        shown = read_frame(path, (k + Fraction(1, 2)) / Fraction(rate))
        assert np.abs(shown.astype(int) - written[k]).max() <= 6


def test_the_same_input_gives_the_same_bytes(tmp_path):
    tone = np.sin(np.arange(48000) / 9).astype(np.float32)
    for name in ("a.mp4", "b.mp4"):
        write_clip(tmp_path / name, colours(), 16, tone, 48000)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


RENDER = """
import os, sys
if sys.argv[3] == "one core" and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from avloc.media import repaint
repaint(sys.argv[1], sys.argv[2], lambda picture, seconds: picture)
"""


def rendered_with_memory_full_of(
    byte: int, clip: Path, target: Path, cores: str = "all cores"
) -> bytes:
    """Render in a process of its own, whose fresh memory holds a pattern (glibc)."""
    environment = {**os.environ, "MALLOC_PERTURB_": str(byte)}
    command = [sys.executable, "-c", RENDER, str(clip), str(target), cores]
    subprocess.run(command, env=environment, check=True, timeout=300)
    return target.read_bytes()


@pytest.mark.parametrize("sound", ["aac", "pcm_s16le"])  # copied, and encoded anew
def test_memory_that_nobody_wrote_does_not_reach_the_file(tmp_path, sound):
    """A picture that zooms: x264 read beyond its own tables in two renderings of three."""
    clip = tmp_path / "clip.mkv"
    zoom = ("-f", "lavfi", "-i", "mandelbrot=s=320x240:r=25", "-t", 2, "-pix_fmt", "yuv420p")
    tone = ("-f", "lavfi", "-i", "sine=440:r=44100:d=2")
    run_ffmpeg(*tone, *zoom, *H264, "-c:a", sound, clip)
    contents = {
        rendered_with_memory_full_of(byte, clip, tmp_path / f"{byte}.mp4")
        for byte in (0, 85, 170, 17)
    }
    contents.add(rendered_with_memory_full_of(3, clip, tmp_path / "one.mp4", cores="one core"))
    assert len(contents) == 1


def test_a_clip_whose_heat_map_differed_gives_the_same_bytes(tmp_path):
    clip = faulty_file("heatmap_bytes_4LcMAREn89c_trim.mp4")
    first, second = (
        rendered_with_memory_full_of(byte, clip, tmp_path / f"{byte}.mp4") for byte in (0, 85)
    )
    assert first == second


def test_a_clip_may_be_silent_or_odd(tmp_path):
    write_clip(tmp_path / "silent.mp4", colours(), 10, None, 0)
    assert not probe(tmp_path / "silent.mp4").has_audio
    assert probe(tmp_path / "silent.mp4").duration == 2
    write_clip(tmp_path / "odd.mp4", colours(height=33, width=51), 10, None, 0)
    assert probe(tmp_path / "odd.mp4").frame_size == (52, 34)


def test_a_clip_needs_a_picture_and_a_fitting_sound(tmp_path):
    with pytest.raises(UsageError, match="picture"):
        write_clip(tmp_path / "a.mp4", [], 10, None, 0)
    with pytest.raises(UsageError, match="sound"):
        write_clip(tmp_path / "a.mp4", colours(), 10, np.zeros((7, 100), np.float32), 44100)
    with pytest.raises(UsageError, match="12345"):
        write_clip(tmp_path / "a.mp4", colours(), 10, np.zeros(100, np.float32), 12345)


@pytest.mark.parametrize("name", ["out.webm", "out.txt", "out"])
def test_a_container_that_cannot_hold_it_is_refused(tmp_path, name):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 10)
    with pytest.raises(OutputError, match=name):
        repaint(clip, tmp_path / name, unchanged)
    with pytest.raises(OutputError, match=name):
        write_clip(tmp_path / name, colours(), 10, None, 0)


@pytest.mark.parametrize("target", ["out.mp4", "out.mkv", "out.mov"])
@pytest.mark.parametrize("source", ["clip.mp4", "clip.mkv"])
def test_rendering_leaves_the_sound_alone(tmp_path, source, target):
    clip = counter_clip(tmp_path / source, "30000/1001", 60)
    out = tmp_path / target
    repaint(clip, out, unchanged)
    assert packets_of(out, "audio") == packets_of(clip, "audio")
    before, after = read_waveform(clip), read_waveform(out)
    # Matroska counts in milliseconds and keeps no lead-in: AAC's first block may be heard.
    shift = len(after.samples) - len(before.samples)
    assert abs(shift) <= 2 * 1024 + 48
    if target != "out.mkv" and source == "clip.mp4":
        assert np.array_equal(before.samples, after.samples)


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_a_comment_can_be_read_from_every_container(tmp_path, suffix):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 10)
    repaint(clip, tmp_path / f"out{suffix}", unchanged, comment="avloc 0123")
    assert comment_of(tmp_path / f"out{suffix}") == "avloc 0123"
    assert comment_of(clip) == ""


def test_rendering_keeps_every_frame_and_its_time(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "30000/1001", 60)
    seen: list[float] = []

    def paint(picture, seconds):
        seen.append(seconds)
        return picture

    reached: list[float] = []
    repaint(clip, tmp_path / "out.mp4", paint, progress=reached.append)
    times = [Fraction(1001 * k, 30000) for k in range(60)]
    assert times_of(tmp_path / "out.mp4") == times
    assert seen == reached == [float(time) for time in times]
    assert probe(tmp_path / "out.mp4").duration == pytest.approx(float(probe(clip).duration), 0.02)
    assert sampled_by_ffmpeg(tmp_path / "out.mp4", 16) == sampled_by_ffmpeg(clip, 16)


def test_rendering_keeps_a_variable_rate(tmp_path):
    crooked = ("-vf", "setpts='if(lt(N,20),N,20+3*(N-20))'", "-fps_mode", "vfr")
    clip = counter_clip(tmp_path / "clip.mp4", "25", 40, sound=None, after=crooked)
    repaint(clip, tmp_path / "out.mp4", unchanged)
    times = times_of(clip)
    assert times_of(tmp_path / "out.mp4") == times
    assert len(set(np.diff(times))) == 2
    assert probe(tmp_path / "out.mp4").duration == probe(clip).duration


def test_a_last_picture_stays_as_long_as_it_did(tmp_path):
    clip, long = tmp_path / "clip.mp4", tmp_path / "long.mp4"
    counter_clip(clip, "25", 30, sound=None, after=("-bf", "0"))
    run_ffmpeg("-i", clip, "-c", "copy", "-bsf:v", "setts=duration=DURATION*50", long)
    assert probe(long).duration > 3
    repaint(long, tmp_path / "out.mp4", unchanged)
    assert probe(tmp_path / "out.mp4").duration == probe(long).duration


def test_what_is_painted_is_shown(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 50)
    red = np.array([220, 30, 40], dtype=np.uint8)

    def paint(picture, seconds):
        painted = np.repeat(np.repeat(picture, 2, axis=0), 2, axis=1)
        if seconds >= 1:
            painted[:] = red
        return painted

    repaint(clip, tmp_path / "out.mp4", paint)
    assert probe(tmp_path / "out.mp4").frame_size == (128, 96)
    assert read_counter(read_frame(tmp_path / "out.mp4", 0.5)[::2, ::2]) == 12
    assert np.abs(read_frame(tmp_path / "out.mp4", 1.5).astype(int) - red).max() <= 6


@pytest.mark.parametrize("codec", ["libx264", "rawvideo", "png", "qtrle"])
def test_painting_in_place_does_not_smear_into_later_pictures(tmp_path, codec):
    pixels = () if codec == "libx264" else ("-pix_fmt", "rgb24")
    clip = tmp_path / "clip.mov"
    counter_clip(clip, "25", 20, sound=None, codec=("-c:v", codec), after=pixels)
    seen: list[int] = []

    def paint(picture, _seconds):
        seen.append(read_counter(picture))
        picture[:] = 255
        return picture

    repaint(clip, tmp_path / "out.mp4", paint)
    assert seen == list(range(20))


def test_odd_sizes_are_padded(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4")
    repaint(clip, tmp_path / "out.mp4", lambda picture, _: picture[:-3, :-5])
    assert probe(tmp_path / "out.mp4").frame_size == (60, 46)


def test_a_turned_video_comes_out_upright(tmp_path):
    plain = counter_clip(tmp_path / "plain.mp4", "25", 50)
    turned = tmp_path / "turned.mp4"
    run_ffmpeg("-display_rotation", 90, "-i", plain, "-c", "copy", turned)
    repaint(turned, tmp_path / "out.mp4", unchanged)
    info = probe(tmp_path / "out.mp4")
    assert (info.frame_size, "rotated" in info.flags) == ((48, 64), False)
    shown = read_frame(tmp_path / "out.mp4", 1)
    assert read_counter(np.rot90(shown, -1)) == 25


def test_sound_that_mp4_cannot_play_is_encoded(tmp_path):
    clip = tmp_path / "clip.mkv"
    counter_clip(clip, "25", 50, after=("-c:a", "pcm_s16le"))
    repaint(clip, tmp_path / "out.mp4", unchanged)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
    ours, truth = read_waveform(tmp_path / "out.mp4"), sound_by_ffmpeg(clip, 1)
    assert np.abs(ours.samples[3000:80000] - truth[3000:80000]).max() < 0.02
    repaint(clip, tmp_path / "out.mkv", unchanged)
    assert packets_of(tmp_path / "out.mkv", "audio") == packets_of(clip, "audio")


def test_a_gap_in_encoded_sound_stays_a_gap(tmp_path):
    clip = tmp_path / "clip.mkv"
    cut = ("-af", "aselect='not(between(t,0.6,1.4))'", "-c:a", "pcm_s16le")
    counter_clip(clip, "25", 75, after=cut)
    repaint(clip, tmp_path / "out.mp4", unchanged)
    ours, truth = read_waveform(tmp_path / "out.mp4"), read_waveform(clip)
    assert np.abs(ours.samples[int(0.8 * 44100) : int(1.2 * 44100)]).max() < 0.01
    assert ours.is_valid_until == pytest.approx(truth.is_valid_until, abs=0.1)
    assert np.abs(ours.samples[(2 * 44100) : int(2.5 * 44100)]).max() > 0.05


def test_mpeg_ts_is_carried_to_zero_with_its_sound_in_step(tmp_path):
    mp4, ts = counter_clip(tmp_path / "clip.mp4", "25", 75), tmp_path / "clip.ts"
    run_ffmpeg("-i", mp4, "-c", "copy", ts)
    repaint(ts, tmp_path / "out.mp4", unchanged)
    assert origin_of(tmp_path / "out.mp4") == 0
    before, after = read_waveform(ts), read_waveform(tmp_path / "out.mp4")
    assert np.abs(before.samples[:100000] - after.samples[:100000]).max() < 1e-4
    grid = Grid(3)
    ours = sampled_segments(tmp_path / "out.mp4", rate=16, grid=grid)
    theirs = sampled_segments(ts, rate=16, grid=grid)
    for rendered, source in zip(ours, theirs, strict=True):
        assert rendered.frame_index.tolist() == source.frame_index.tolist()


@pytest.mark.parametrize("suffix", ["avi", "h264", "webm"])
def test_other_sources(tmp_path, suffix):
    clip = tmp_path / f"clip.{suffix}"
    if suffix == "webm":
        codec = ("-c:v", "libvpx", "-deadline", "realtime", "-crf", "4", "-b:v", "2M")
        counter_clip(clip, "25", 50, codec=codec, after=("-c:a", "libopus"))
    else:
        sound = None if suffix == "h264" else "sine=440:r=44100"
        counter_clip(clip, "25", 50, sound=sound)
    repaint(clip, tmp_path / "out.mp4", unchanged)
    assert numbers_and_flags(tmp_path / "out.mp4", 2, rate=25)[0] == list(range(50))
    assert probe(tmp_path / "out.mp4").has_audio == probe(clip).has_audio


def test_a_damaged_tail_does_not_stop_it(tmp_path):
    whole = counter_clip(tmp_path / "whole.mp4", "25", 100, after=("-movflags", "faststart"))
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    repaint(cut, tmp_path / "out.mp4", unchanged)
    times = times_of(tmp_path / "out.mp4")
    assert 25 < len(times) < 100
    heard = packets_of(tmp_path / "out.mp4", "audio")
    assert heard[:-1] == packets_of(whole, "audio")[: len(heard) - 1]


def test_late_pictures_stay_late(tmp_path):
    whole, late = counter_clip(tmp_path / "whole.mp4"), tmp_path / "late.mp4"
    maps = ("-map", "0:v", "-map", "1:a", "-c", "copy")
    run_ffmpeg("-itsoffset", "0.8", "-i", whole, "-i", whole, *maps, late)
    repaint(late, tmp_path / "out.mp4", unchanged)
    assert times_of(tmp_path / "out.mp4")[0] == pytest.approx(0.8, abs=0.001)
    assert np.array_equal(read_waveform(tmp_path / "out.mp4").samples, read_waveform(late).samples)


@pytest.mark.parametrize("suffix", ["mp4", "ts", "h264", "mkv"])
def test_the_frame_at_a_time_is_the_one_on_screen(tmp_path, suffix):
    clip = counter_clip(tmp_path / f"clip.{suffix}", "25", 75, sound=None, after=("-g", "12"))
    for seconds in (-1, 0, 0.03, 1, 1.99, 2.5, 2.97, 99):
        on_screen = min(max(int(seconds * 25), 0), 74)
        assert read_counter(read_frame(clip, seconds)) == on_screen, seconds


def test_no_frame_is_said(tmp_path):
    whole = counter_clip(tmp_path / "whole.mp4", sound=None, after=("-movflags", "faststart"))
    data = whole.read_bytes()
    hollow = tmp_path / "hollow.mp4"
    begin = data.index(b"mdat") + 4
    hollow.write_bytes(data[:begin] + bytes(len(data) - begin))
    with pytest.raises(MediaError, match="no frame"):
        list(sampled_segments(hollow, rate=16, grid=Grid(1)))
    with pytest.raises(MediaError, match="no frame"):
        read_frame(hollow, 0)
    with pytest.raises(MediaError, match="no frame"):
        repaint(hollow, tmp_path / "out.mp4", unchanged)
