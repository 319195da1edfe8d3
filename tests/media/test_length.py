"""How long a file is, where it states that wrongly or not at all: it decides T."""

from __future__ import annotations

import av
import pytest
from media_clips import counter_clip, run_ffmpeg

from avloc.media import probe, read_waveform, sampled_segments
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
    assert [one.is_valid for one in segments] == [True] * 3


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
