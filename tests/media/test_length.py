"""How long a file is, where it states that wrongly or not at all: it decides T."""

from __future__ import annotations

import av
import odd_files
import pytest
from faulty_files import faulty_file
from media_clips import (
    counter_clip,
    has_b_frames,
    read_waveform,
    run_ffmpeg,
)

from avloc.media import probe, sampled_segments
from avloc.media.media_file import MediaFile
from avloc.timeline import Grid

# Two seconds of silence, which take few bits, then four of noise, which take many.
UNEVEN = "aevalsrc='if(lt(t,2),0,random(0)-0.5)':s=44100:d=6"
CROOKED = "settb=1/1000,setpts='if(lt(N,20),40*N,if(lt(N,30),800+120*(N-20),2000+20*(N-30)))'"
KEEP_TIMES = ("-fps_mode", "passthrough", "-enc_time_base", "1/1000")


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.aac", ("-c:a", "aac")),
        ("a.mp3", ("-c:a", "libmp3lame", "-q:a", 2, "-write_xing", 0)),
        ("a.ac3", ("-c:a", "ac3")),
        ("a.m4a", ("-c:a", "aac")),
        ("a.wav", ("-c:a", "pcm_s16le")),
        ("a.ogg", ("-c:a", "libvorbis")),
    ],
)
def test_sound_alone_is_as_long_as_it_sounds(tmp_path, name, codec):
    """FFmpeg itself guesses 95 s for the AAC and 14 s for the MP3."""
    run_ffmpeg("-f", "lavfi", "-i", UNEVEN, *codec, tmp_path / name)
    heard = read_waveform(tmp_path / name).is_valid_until
    assert heard == pytest.approx(6, abs=0.06)
    assert float(probe(tmp_path / name).duration) == pytest.approx(heard, abs=0.05)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("live.webm", ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus", "-f", "webm")),
        ("live.mkv", ("-c", "copy", "-f", "matroska")),
    ],
)
def test_a_recording_that_states_no_length_is_measured(tmp_path, name, codec):
    """As a browser records: no length, no rate, frames at any time."""
    clip = tmp_path / "clip.mp4"
    counter_clip(clip, "25", 81, after=("-vf", CROOKED, *KEEP_TIMES))
    live = tmp_path / name
    options = (
        "-fps_mode",
        "passthrough",
        *codec,
        "-live",
        1,
        *(("-f", "webm") * (name[-4] != ".")),
    )
    live.write_bytes(run_ffmpeg("-i", clip, *options, "-"))
    with av.open(str(live)) as container:
        assert container.duration is None
    assert float(probe(live).duration) == pytest.approx(3.02, abs=0.03)
    segments = list(sampled_segments(live, rate=4, grid=Grid.of_duration(probe(live).duration)))
    assert [each.is_valid for each in segments] == [True] * 3


def test_a_silent_recording_lasts_to_the_end_of_its_last_frame(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 60, sound=None)
    live = tmp_path / "live.mkv"
    live.write_bytes(run_ffmpeg("-i", clip, "-c", "copy", "-f", "matroska", "-live", 1, "-"))
    assert float(probe(live).duration) == pytest.approx(2.4, abs=0.002)


@pytest.mark.parametrize("suffix", ["mkv", "ts", "mp4"])
@pytest.mark.parametrize("begin", [0, 100])
def test_where_a_file_begins_is_no_part_of_its_length(tmp_path, suffix, begin):
    whole, shifted = counter_clip(tmp_path / "whole.mp4"), tmp_path / f"shifted.{suffix}"
    run_ffmpeg("-i", whole, "-c", "copy", "-output_ts_offset", begin, shifted)
    assert float(probe(shifted).duration) == pytest.approx(3, abs=0.05)


def clip_of(folder, suffix, seconds=10):
    """Short pictures, so that files are small for their length, and sound that is not."""
    path = folder / f"clip.{suffix}"
    return counter_clip(path, "25", 25 * seconds, after=("-c:a", "pcm_s16le"))


def counted_frames(path, n_segments):
    segments = sampled_segments(path, rate=25, grid=Grid(n_segments))
    return [each.frame_index.tolist() for each in segments]


@pytest.mark.parametrize("stated", [1e12, 3 * 3600e3, 90e3, 0, -5e6])
def test_a_length_beyond_what_a_file_holds_is_measured(tmp_path, stated):
    """Ten seconds that claim 30,000 years, three hours, a minute and a half, none, and less."""
    info = probe(odd_files.with_matroska_length(clip_of(tmp_path, "mkv"), stated))
    assert float(info.duration) == pytest.approx(10, abs=0.05)
    assert ("wrong_length" in info.flags) == (stated != 0)


def test_a_large_file_that_states_too_much_is_measured(tmp_path):
    """Bytes enough for an hour, and packets of half a minute: they are what counts."""
    clip = tmp_path / "large.mkv"
    noise = "aevalsrc=random(0)|random(1):s=48000:d=30"
    run_ffmpeg("-f", "lavfi", "-i", noise, "-c:a", "pcm_s16le", clip)
    assert clip.stat().st_size > 3600 * 1500
    info = probe(odd_files.with_matroska_length(clip, 3600e3))
    assert float(info.duration) == pytest.approx(30, abs=0.05)
    assert "wrong_length" in info.flags


def test_pictures_that_last_for_weeks_are_counted(tmp_path):
    avi = clip_of(tmp_path, "avi")
    assert probe(avi).flags == ("pts_rebuilt",)  # H.264 in AVI carries the decoder's order
    info = probe(odd_files.with_avi_scale(avi, 1_000_000, 1))
    assert float(info.duration) == pytest.approx(10, abs=0.05)
    assert {"wrong_length", "pts_rebuilt"} <= set(info.flags)
    assert counted_frames(avi, 10)[9][-1] == 249


def test_mp4_that_states_a_thousand_times_its_length(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 250)
    info = probe(odd_files.with_mp4_length(clip, 1000))
    assert float(info.duration) == pytest.approx(10, abs=0.1)


def test_a_download_that_broke_off_keeps_its_length_within_reason(tmp_path):
    """Two minutes of which 40 % came are two minutes; of which 5 % came, not."""
    whole = clip_of(tmp_path, "mkv", seconds=120)
    content = whole.read_bytes()
    part = tmp_path / "part.mkv"
    part.write_bytes(content[: len(content) * 4 // 10])
    assert float(probe(part).duration) == pytest.approx(120, abs=0.1)
    assert "wrong_length" not in probe(part).flags
    part.write_bytes(content[: len(content) // 20])
    assert float(probe(part).duration) == pytest.approx(6, abs=1)
    assert "wrong_length" in probe(part).flags


def test_one_damaged_time_does_not_make_a_file_long(tmp_path):
    """A picture near the end is stamped a day and a half ahead, or all from the middle on."""
    clip = counter_clip(tmp_path / "clip.mp4", "25", 100, after=("-bf", "0"))
    right = odd_files.restamped(clip, tmp_path / "right.mkv", "video", lambda k, t: t)
    for name, is_late in (("one.mkv", lambda k: k == 95), ("all.mkv", lambda k: k > 50)):
        late = odd_files.restamped(
            clip,
            tmp_path / name,
            "video",
            lambda k, t: t + 130_000 * is_late(k),  # noqa: B023
        )
        info = probe(late)
        assert float(info.duration) == pytest.approx(4, abs=0.1)
        assert "wrong_length" in info.flags
        assert counted_frames(late, 4) == counted_frames(right, 4)


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_a_stream_that_begins_hours_later_is_not_waited_for(tmp_path, kind):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 100, after=("-bf", "0"))
    late = odd_files.restamped(clip, tmp_path / "late.mkv", kind, lambda k, t: t + 9000)
    assert float(probe(late).duration) == pytest.approx(4, abs=0.1)
    assert counted_frames(late, 4)[3][-1] >= 98
    assert read_waveform(late).is_valid_until == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize("suffix", ["ts", "mkv"])
def test_a_slow_film_with_b_frames_is_measured_to_its_end(tmp_path, suffix):
    """A picture a second, the last of which stands before two that are shown earlier."""
    clip = counter_clip(tmp_path / "clip.mp4", "1", 40, sound=None, after=("-bf", "3"))
    assert has_b_frames(clip)
    slow = tmp_path / f"slow.{suffix}"
    form = ("-f", "matroska", "-live", 1) if suffix == "mkv" else ("-f", "mpegts")
    slow.write_bytes(run_ffmpeg("-i", clip, "-c", "copy", *form, "-"))
    assert float(probe(slow).duration) == pytest.approx(40, abs=0.01)


def test_a_healthy_film_is_believed_without_reading_it(tmp_path, monkeypatch):
    """A film's length costs a handful of packets, wherever they lie."""
    clip = clip_of(tmp_path, "mkv", seconds=120)
    taken = []
    packets = MediaFile.packets
    monkeypatch.setattr(
        MediaFile,
        "packets",
        lambda *arguments: (taken.append(packet) or packet for packet in packets(*arguments)),
    )
    assert float(probe(clip).duration) == pytest.approx(120, abs=0.1)
    assert len(taken) < 300  # of 3,000 pictures alone


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("L33_strh_rate1.avi", "pts_rebuilt"),
        ("L35_webm_dur3h.webm", "wrong_length"),
        ("L36_webm_dur1e12.webm", "wrong_length"),
        ("L38_webm_durneg.webm", "wrong_length"),
    ],
)
def test_files_that_stated_hours_to_millennia_are_ten_seconds(name, flag):
    info = probe(faulty_file(name))
    assert float(info.duration) == pytest.approx(10.03, abs=0.05)
    assert flag in info.flags
