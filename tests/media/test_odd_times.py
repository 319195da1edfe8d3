"""Times that are missing, run backwards, begin elsewhere, or have holes."""

from __future__ import annotations

from fractions import Fraction
from itertools import repeat

import av
import numpy as np
import odd_files
import pytest
from av.audio.frame import AudioFrame
from media_clips import (
    H264,
    Waveform,
    counter_clip,
    frame_index_at,
    has_b_frames,
    numbers_and_flags,
    origin_of,
    read_counter,
    read_waveform,
    run_ffmpeg,
    sampled_by_ffmpeg,
)

from avloc.media import probe, read_frame
from avloc.media.sound_reader import SoundClock

TONE = 440


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
    numbers, flags = numbers_and_flags(clip, 2, rate=16)
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
    numbers, flags = numbers_and_flags(avi, 3, rate=16)
    times = [Fraction(k) / Fraction(rate) for k in range(90)]
    assert numbers == frame_index_at(times, 48, 16).tolist()
    assert "pts_rebuilt" in flags


def test_times_that_start_again_are_counted_on(tmp_path):
    part = counter_clip(tmp_path / "part.ts", "25", 50, sound=None)
    twice = tmp_path / "twice.ts"
    twice.write_bytes(part.read_bytes() * 2)
    numbers, flags = numbers_and_flags(twice, 4, rate=25)
    assert numbers == [*range(50), *range(50)]
    assert "joined" in flags
    assert probe(twice).duration == 4


@pytest.mark.parametrize("suffix", ["ts", "mpg"])
def test_clips_joined_with_cat_are_as_long_as_together(tmp_path, suffix):
    """Three parts, the middle one without sound: picture and sound keep together."""
    codec = H264 if suffix == "ts" else ("-c:v", "mpeg1video", "-g", "5", "-q:v", "2")
    beep = "aevalsrc='0.5*sin(2*PI*440*t)*between(t,1,1.2)':s=44100"
    sound = ("-c:a", "mp2")
    parts = [
        counter_clip(tmp_path / f"0.{suffix}", "25", 75, sound=beep, codec=codec, after=sound),
        counter_clip(tmp_path / f"1.{suffix}", "25", 50, sound=None, codec=codec),
        counter_clip(tmp_path / f"2.{suffix}", "25", 100, sound=beep, codec=codec, after=sound),
    ]
    joined = tmp_path / f"joined.{suffix}"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert float(probe(joined).duration) == pytest.approx(3 + 2 + 4, abs=0.15)
    numbers, flags = numbers_and_flags(joined, 9, rate=25)
    assert set(numbers) == set(range(100))
    assert numbers.count(30) == 3
    third = max(k for k, number in enumerate(numbers) if number == 0)
    assert third == pytest.approx(5 * 25, abs=4)
    wave = read_waveform(joined)
    assert "joined" in flags
    assert "joined" in wave.flags
    loud = np.flatnonzero(np.abs(wave.samples) > 0.2) / wave.rate
    assert loud.min() == pytest.approx(1, abs=0.06)
    # the beep comes with frame 25 of its own part
    assert loud[loud > 4].min() == pytest.approx((third + 25) / 25, abs=0.08)
    shown = read_frame(joined, (third + 60.5) / 25)
    assert read_counter(shown) == 60


def test_a_damaged_time_is_no_new_part(tmp_path):
    """A few pictures stamped a minute ahead, as one damaged byte of MPEG-TS can do."""
    clip = tmp_path / "clip.ts"
    counter_clip(clip, "25", 200, sound=None, after=("-bf", "0"))
    data = bytearray(clip.read_bytes())
    assert odd_files.move_times(data, 90, by=60 * 90_000) == 1
    clip.write_bytes(bytes(data))
    assert float(probe(clip).duration) == pytest.approx(8, abs=0.05)
    numbers, flags = numbers_and_flags(clip, 8, rate=25)
    assert numbers == list(range(200))
    assert flags == ["pts_rebuilt"]


def test_one_picture_stamped_a_minute_ahead_does_not_freeze_the_rest(tmp_path):
    clip = counter_clip(tmp_path / "clip.mp4", "25", 250, sound=None, after=("-bf", "0"))
    spiked = odd_files.restamped(
        clip, tmp_path / "spiked.mkv", "video", lambda k, t: t + 60 * (k == 40)
    )
    numbers, flags = numbers_and_flags(spiked, 10, rate=25)
    assert numbers == list(range(250))
    assert flags == ["pts_rebuilt"]


def test_pictures_that_overlap_a_little_stay_in_step_with_the_clock(tmp_path):
    """Parts of two seconds, each stamped to begin a frame and a half before the last ends."""
    parts = []
    for number in range(5):
        parts.append(tmp_path / f"{number}.ts")
        late = ("-bf", "0", "-output_ts_offset", f"{number * 1.94:.2f}")
        counter_clip(parts[-1], "25", 50, sound=None, after=late)
    overlapping = tmp_path / "overlapping.ts"
    overlapping.write_bytes(b"".join(part.read_bytes() for part in parts))
    numbers, flags = numbers_and_flags(overlapping, 9, rate=25)
    stated = np.arange(225) / 25 % 1.94
    is_settled = stated > 0.2
    assert np.abs(np.array(numbers) / 25 - stated)[is_settled].max() <= 0.06
    assert "pts_rebuilt" in flags
    assert "joined" not in flags
    assert float(probe(overlapping).duration) == pytest.approx(4 * 1.94 + 2, abs=0.05)


@pytest.mark.parametrize("suffix", ["ts", "mkv"])
def test_a_file_that_begins_elsewhere_begins_at_its_origin(tmp_path, suffix):
    whole, shifted = counter_clip(tmp_path / "whole.mp4"), tmp_path / f"shifted.{suffix}"
    run_ffmpeg("-i", whole, "-c", "copy", "-output_ts_offset", "7", shifted)
    assert origin_of(shifted) > 6.9
    assert probe(shifted).duration == pytest.approx(3, abs=0.05)
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
    origin = origin_of(clip)
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
    clock = SoundClock(rate, origin)

    def decoded():
        for seconds, n_samples in frames:
            frame = AudioFrame.from_ndarray(np.ones((1, n_samples), np.float32), "flt", "mono")
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            frame.pts = round(seconds * rate)
            yield frame

    samples = np.concatenate(list(clock.walk(decoded())))
    times = (clock.begin or 0) / rate, clock.end / rate
    return Waveform(samples, rate, *times, tuple(clock.flags))


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
    assert wave.flags == (("audio_gap",) if is_believed else ("audio_pts_rebuilt",))


@pytest.mark.parametrize(("late", "is_believed"), [(3599, True), (3601, False)])
def test_sound_that_begins_after_more_than_an_hour_is_a_broken_clock(late, is_believed):
    wave = put_down((late, 100), (late + 0.1, 100))
    assert len(wave.samples) == 200 + (late * 1000 if is_believed else 0)
    assert wave.is_valid_from == (late if is_believed else 0)
    assert wave.flags == (("late_audio",) if is_believed else ("audio_pts_rebuilt",))


@pytest.mark.parametrize("n_ahead", [1, 3])
def test_sound_stamped_ahead_and_back_is_no_hole(n_ahead):
    spike = [(0.1 * k + (60 if 5 <= k < 5 + n_ahead else 0), 100) for k in range(20)]
    wave = put_down(*spike)
    if n_ahead == 1:
        assert len(wave.samples) == 2000
        assert wave.samples.all()
    assert np.count_nonzero(wave.samples) == 2000
    assert "audio_pts_rebuilt" in wave.flags


def test_sound_that_starts_again_goes_on():
    part = [(0.1 * k, 100) for k in range(50)]
    wave = put_down(*part, *part)
    assert len(wave.samples) == 10_000
    assert wave.samples.all()
    assert wave.flags == ("audio_pts_rebuilt",)


@pytest.mark.parametrize(("n_overlapping", "n_segments"), [(46, 60), (250, 20)])
def test_segments_of_sound_that_overlap_do_not_drift(n_overlapping, n_segments):
    """Ten seconds each, begun before the last is over, as with an encoder's lead-in."""
    step = 10_000 - n_overlapping
    stamps = [(step * s + 20 * k) / 1000 for s in range(n_segments) for k in range(500)]
    wave = put_down(*((stamp, 20) for stamp in stamps))
    assert len(wave.samples) == pytest.approx(step * n_segments + n_overlapping, abs=20)
    assert wave.samples.all()
    assert wave.flags == ("audio_overlap",)


@pytest.mark.parametrize(("percent", "flag"), [(-1, "audio_overlap"), (1, "audio_gap")])
def test_sound_whose_clock_is_wrong_stays_with_its_stamps(tmp_path, percent, flag):
    """A Matroska whose packets are stamped 1 % too fast or too slow; a beep each ten seconds."""
    beeps = "aevalsrc='0.5*sin(2*PI*440*t)*lt(mod(t,10),0.1)':s=44100:d=95"
    plain = tmp_path / "plain.mka"
    run_ffmpeg("-f", "lavfi", "-i", beeps, "-c:a", "aac", plain)
    wrong = odd_files.restamped(
        plain, tmp_path / "wrong.mka", "audio", lambda k, t: t * (1 + percent / 100)
    )
    wave = read_waveform(wrong)
    assert wave.is_valid_until == pytest.approx(95 * (1 + percent / 100), abs=0.06)
    loud = np.flatnonzero(np.abs(wave.samples) > 0.2) / wave.rate
    for beep in range(0, 95, 10):
        stated = beep * (1 + percent / 100)
        near = loud[np.abs(loud - stated - 0.05) < 1]
        assert near.min() == pytest.approx(stated, abs=0.08)
    assert wave.flags == (flag,)


def test_a_rate_that_changes_back_and_forth_adds_up_exactly():
    """1024 samples at 48 kHz are 940.8 at 44.1: rounded each by itself, a second in 80 minutes."""
    frame = AudioFrame.from_ndarray(np.ones((1, 1024), np.float32), "flt", "mono")
    frame.sample_rate, frame.pts = 48_000, None
    clock = SoundClock(44_100)
    n_samples = sum(len(piece) for piece in clock.walk(repeat(frame, 5000)))
    assert n_samples == round(5000 * 1024 * 44_100 / 48_000)
    assert clock.flags == ["audio_rate_changed"]


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
