"""Times that are missing, run backwards, begin elsewhere, or have holes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import odd_files
import pytest
from av.audio.frame import AudioFrame
from media_clips import counter_clip, has_b_frames, read_counter, run_ffmpeg, sampled_by_ffmpeg

from avloc.media import Waveform, frame_index_at, probe, read_waveform, sampled_segments, waveform
from avloc.timeline import Grid

TONE = 440


def numbers_and_flags(path: Path, n_segments: int, rate: int = 16) -> tuple[list[int], list[str]]:
    flags: list[str] = []
    segments = sampled_segments(path, rate=rate, grid=Grid(n_segments), flags=flags)
    return [read_counter(one.images[i]) for one in segments for i in one.which], flags


def pitch(samples: np.ndarray, rate: int) -> float:
    """The loudest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / rate)[spectrum.argmax()])


@pytest.mark.parametrize("rate", ["25", "30", "30000/1001", "50"])
def test_raw_h264_has_its_times_rebuilt(tmp_path, rate):
    """At the rate its headers name: 25, which FFmpeg assumes of any, would be no proof."""
    clip = counter_clip(tmp_path / "clip.h264", rate, 90, sound=None)
    with av.open(str(clip)) as container:
        assert all(packet.pts is None for packet in container.demux(video=0))
    numbers, flags = numbers_and_flags(clip, 2)
    times = [Fraction(k) / Fraction(rate) for k in range(90)]
    assert numbers == frame_index_at(times, 32, 16).tolist()
    assert "pts_rebuilt" in flags
    assert probe(clip).duration == 90 / Fraction(rate)
    assert "pts_rebuilt" in probe(clip).flags


@pytest.mark.parametrize("rate", ["25", "30"])
def test_h264_in_avi_keeps_the_decoders_order(tmp_path, rate):
    mp4 = counter_clip(tmp_path / "clip.mp4", rate, 90, sound=None)
    assert has_b_frames(mp4)
    avi = tmp_path / "clip.avi"
    run_ffmpeg("-i", mp4, "-c", "copy", avi)
    with av.open(str(avi)) as container:
        stated = [frame.pts for frame in container.decode(video=0)]
    assert stated != sorted(stated)  # shuffled indeed
    numbers, flags = numbers_and_flags(avi, 3)
    times = [Fraction(k) / Fraction(rate) for k in range(90)]
    assert numbers == frame_index_at(times, 48, 16).tolist()
    assert "pts_rebuilt" in flags


def test_times_that_start_again_are_counted_on(tmp_path):
    part = counter_clip(tmp_path / "part.ts", "25", 50, sound=None)
    twice = tmp_path / "twice.ts"
    twice.write_bytes(part.read_bytes() * 2)
    numbers, flags = numbers_and_flags(twice, 4, rate=25)
    assert numbers == [*range(50), *range(50)]
    assert "pts_rebuilt" in flags


@pytest.mark.parametrize("suffix", ["ts", "mkv"])
def test_a_file_that_begins_elsewhere_begins_at_its_origin(tmp_path, suffix):
    whole, shifted = counter_clip(tmp_path / "whole.mp4"), tmp_path / f"shifted.{suffix}"
    run_ffmpeg("-i", whole, "-c", "copy", "-output_ts_offset", "7", shifted)
    info = probe(shifted)
    assert info.origin > 6.9
    assert info.duration == pytest.approx(3, abs=0.05)
    numbers, flags = numbers_and_flags(shifted, 3, rate=5)
    assert numbers == sampled_by_ffmpeg(shifted, 5, has_sound=True)[:15]
    assert flags == []
    assert read_waveform(shifted).is_valid_until == pytest.approx(3, abs=0.05)


def test_an_origin_between_two_microseconds_is_exact(tmp_path):
    """FFmpeg states origins in microseconds; five of MPEG-TS' ticks are rounded up to 56.

    At 48 frames a second every third lies exactly where a sample of eight a second looks back
    from, and half a microsecond too much would make it seen.
    """
    clip = tmp_path / "clip.ts"
    counter_clip(clip, "48", 144, sound=None, after=("-output_ts_offset", "0.0000556"))
    origin = probe(clip).origin
    assert (origin * 90_000).denominator == 1
    assert (origin * 1_000_000).denominator > 1
    numbers, flags = numbers_and_flags(clip, 3, rate=8)
    assert numbers == frame_index_at([Fraction(k, 48) for k in range(144)], 24, 8).tolist()
    assert numbers[0] == 2
    assert flags == []


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_late_sound_is_padded_with_zeros_to_its_time(tmp_path, suffix):
    late = odd_files.offset(tmp_path, "audio", 0.75, suffix)
    wave = read_waveform(late)
    begin = np.flatnonzero(wave.samples)[0] / wave.rate
    assert begin == pytest.approx(0.75, abs=0.03)  # AAC's priming is 23 ms
    assert wave.is_valid_from == pytest.approx(0.75, abs=0.03)
    assert "late_audio" in wave.flags


def test_late_sound_is_late_by_the_sample(tmp_path):
    """A Matroska of PCM has no lead-in, and 0.75 s is a whole number of its milliseconds."""
    late = tmp_path / "late.mkv"
    sound = ("-f", "lavfi", "-i", "aevalsrc=0.25*cos(2000*t):s=8000:d=1")
    picture = ("-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=1")
    run_ffmpeg(*picture, "-itsoffset", "0.75", *sound, "-c:a", "pcm_s16le", late)
    wave = read_waveform(late)
    assert np.flatnonzero(wave.samples)[0] == 6000
    expected = 0.25 * np.cos(2000 * np.arange(8000) / 8000)
    assert np.abs(wave.samples[6000:14000] - expected).max() < 1e-4


def put_down(*frames: tuple[float, int], rate: int = 1000, origin: Fraction = Fraction(0)):
    """What a track makes of frames of ones, each (seconds, samples)."""
    placing, pieces = waveform.Placing(rate, origin), []
    for seconds, n_samples in frames:
        frame = AudioFrame.from_ndarray(np.ones((1, n_samples), np.float32), "flt", "mono")
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = round(seconds * rate)
        pieces += placing.add(frame)
    samples = np.concatenate([*pieces, *placing.rest()])
    begin, end = (placing.begin or 0) / rate, placing.end / rate
    return Waveform(samples, rate, end, tuple(dict.fromkeys(placing.flags)), begin)


def test_frames_before_the_origin_are_dropped_and_one_across_it_is_cut():
    wave = put_down((-0.25, 100), (-0.15, 100), (-0.05, 100), (0.05, 100))
    assert len(wave.samples) == 150
    assert wave.samples.all()
    assert (wave.is_valid_from, wave.is_valid_until) == (0, 0.15)
    assert wave.flags == ()


@pytest.mark.parametrize(("gap", "is_believed"), [(3599, True), (3601, False)])
def test_a_gap_of_more_than_an_hour_is_a_broken_clock(gap, is_believed):
    wave = put_down((0, 100), (0.1 + gap, 100), (0.2 + gap, 100))
    assert len(wave.samples) == 300 + (gap * 1000 if is_believed else 0)
    assert np.count_nonzero(wave.samples) == 300
    assert wave.flags == (("audio_gap",) if is_believed else ())


@pytest.mark.parametrize(("late", "is_believed"), [(3599, True), (3601, False)])
def test_sound_that_begins_after_more_than_an_hour_is_a_broken_clock(late, is_believed):
    wave = put_down((late, 100), (late + 0.1, 100))
    assert len(wave.samples) == 200 + (late * 1000 if is_believed else 0)
    assert wave.is_valid_from == (late if is_believed else 0)
    assert wave.flags == (("late_audio",) if is_believed else ())


def test_a_sample_rate_that_changes_in_mid_sound_keeps_pitch_and_time(tmp_path):
    """A broadcast goes from stereo at 48 kHz to mono at 32 kHz after a second."""
    wave = read_waveform(odd_files.two_sounds(tmp_path))
    assert wave.rate == 48000
    assert wave.flags == ("audio_rate_changed",)
    assert wave.is_valid_until == pytest.approx(2, abs=0.04)
    for begin in (0.2, 1.2):
        heard = wave.samples[int(begin * 48000) : int((begin + 0.7) * 48000)]
        assert pitch(heard, 48000) == pytest.approx(TONE, abs=1.5)
        assert np.abs(heard).max() == pytest.approx(0.25, rel=0.03)
