"""The sound of a file, against another program's decoder and plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from media_clips import counter_clip, run_ffmpeg, sound_by_ffmpeg

from avloc.media import probe, read_waveform, write_clip

TONES = "|".join(f"{0.1 * (k + 1)}*sin({300 + 170 * k}*2*PI*t)" for k in range(6))


def many_channels(target, n_channels, *codec, rate=44100, seconds=2):
    tones = "|".join(TONES.split("|")[:n_channels])
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[n_channels]
    source = f"aevalsrc={tones}:c={layout}:s={rate}:d={seconds}"
    run_ffmpeg("-f", "lavfi", "-i", source, *codec, target)
    return target


def plain_mean(n_channels, n, rate=44100):
    t = np.arange(n) / rate
    waves = [0.1 * (k + 1) * np.sin((300 + 170 * k) * 2 * np.pi * t) for k in range(n_channels)]
    return np.mean(waves, axis=0)


@pytest.mark.parametrize("n_channels", [1, 2, 6])
@pytest.mark.parametrize(
    ("suffix", "codec", "step"),
    [
        ("wav", "pcm_u8", 2**-7),
        ("wav", "pcm_s16le", 2**-15),
        ("wav", "pcm_s24le", 2**-23),
        ("wav", "pcm_s32le", 2**-24),
        ("wav", "pcm_f32le", 2**-24),
        ("wav", "pcm_f64le", 2**-24),
        ("flac", "flac", 2**-15),
    ],
)
def test_every_sample_format_is_scaled_and_averaged(tmp_path, n_channels, suffix, codec, step):
    path = many_channels(tmp_path / f"a.{suffix}", n_channels, "-c:a", codec)
    wave = read_waveform(path)
    assert wave.rate == 44100
    assert wave.samples.dtype == np.float32
    assert wave.is_valid_until == 2.0
    assert wave.flags == ()
    assert np.abs(wave.samples - plain_mean(n_channels, 88200)).max() <= 1.1 * step


@pytest.mark.parametrize(
    ("suffix", "codec", "n_channels"),
    [
        ("m4a", "aac", 1),
        ("m4a", "aac", 6),
        ("mp3", "libmp3lame", 2),
        ("mka", "libopus", 2),
        ("mka", "libopus", 6),
        ("ac3", "ac3", 6),
        ("ts", "aac", 2),
    ],
)
def test_lossy_sound_lies_where_ffmpeg_puts_it(tmp_path, suffix, codec, n_channels):
    rate = 48000
    path = many_channels(tmp_path / f"a.{suffix}", n_channels, "-c:a", codec, rate=rate)
    wave = read_waveform(path)
    truth = sound_by_ffmpeg(path, n_channels)
    assert abs(len(wave.samples) - len(truth)) <= 1
    n = min(len(truth), len(wave.samples))
    assert np.abs(wave.samples[:n] - truth[:n]).max() < 1e-3
    assert np.abs(truth).max() > 0.05


def test_the_mean_of_two_equal_channels_has_no_gain(tmp_path):
    path = tmp_path / "a.wav"
    run_ffmpeg("-f", "lavfi", "-i", "sine=500:d=1", "-ac", 2, "-c:a", "pcm_s16le", path)
    peak = np.abs(read_waveform(path).samples).max()
    left = np.abs(sound_by_ffmpeg(path, 1)).max()
    assert peak == pytest.approx(left, rel=1e-3)


def test_opposite_channels_cancel(tmp_path):
    path = tmp_path / "a.wav"
    source = "aevalsrc=0.5*sin(2000*t)|-0.5*sin(2000*t):c=stereo:d=1"
    run_ffmpeg("-f", "lavfi", "-i", source, "-c:a", "pcm_f32le", path)
    assert np.abs(read_waveform(path).samples).max() < 1e-6


def test_late_sound_begins_with_zeros(tmp_path):
    whole = counter_clip(tmp_path / "whole.mp4")
    late = tmp_path / "late.mkv"
    maps = ("-map", "0:v", "-map", "1:a", "-c", "copy")
    run_ffmpeg("-i", whole, "-itsoffset", "0.75", "-i", whole, *maps, late)
    wave, early = read_waveform(late), read_waveform(whole)
    begin = np.flatnonzero(wave.samples)[0] / wave.rate
    assert begin == pytest.approx(0.75, abs=0.03)  # AAC's priming is 23 ms
    assert wave.is_valid_from == pytest.approx(0.75, abs=0.03)
    assert "late_audio" in wave.flags
    assert early.is_valid_from == 0
    assert early.flags == ()


def test_a_gap_is_filled_with_zeros(tmp_path):
    path = tmp_path / "gap.mkv"
    cut = "aselect='not(between(t,1,1.5))'"
    run_ffmpeg("-f", "lavfi", "-i", "sine=500:d=3", "-af", cut, "-c:a", "pcm_s16le", path)
    wave = read_waveform(path)
    assert wave.is_valid_until == pytest.approx(3, abs=0.05)
    assert np.abs(wave.samples[int(1.1 * wave.rate) : int(1.4 * wave.rate)]).max() == 0
    assert np.abs(wave.samples[int(1.6 * wave.rate) :]).max() > 0.1
    assert "audio_gap" in wave.flags


def test_mpeg_ts_does_not_begin_at_zero_and_yet_it_does(tmp_path):
    mp4, ts = counter_clip(tmp_path / "clip.mp4"), tmp_path / "clip.ts"
    run_ffmpeg("-i", mp4, "-c", "copy", ts)
    assert probe(ts).origin > 1
    ours, whole = read_waveform(ts), read_waveform(mp4)
    # The packets of AAC's lead-in are played in TS and cut in MP4: 1024 samples.
    assert np.abs(ours.samples[1024 : 1024 + 60000] - whole.samples[:60000]).max() < 1e-4


def test_no_sound_is_none_and_only_sound_is_sound(tmp_path):
    silent = counter_clip(tmp_path / "silent.mp4", sound=None)
    assert read_waveform(silent) is None
    assert read_waveform(silent, probe(silent)) is None
    song = many_channels(tmp_path / "song.m4a", 1)
    info = probe(song)
    assert not info.has_video
    assert info.frame_size is None
    assert "no_video" in info.flags
    assert read_waveform(song, info).is_valid_until == pytest.approx(2, abs=1e-3)


def test_short_sound_says_where_it_ends(tmp_path):
    tone = np.sin(np.arange(22050) / 20).astype(np.float32)
    pictures = (np.zeros((32, 32, 3), np.uint8) for _ in range(30))
    write_clip(tmp_path / "a.mp4", pictures, 10, tone, 22050)
    wave = read_waveform(tmp_path / "a.mp4")
    assert wave.is_valid_until == pytest.approx(1, abs=0.01)
    assert probe(tmp_path / "a.mp4").duration == 3


def test_truncated_sound_keeps_what_it_has(tmp_path):
    whole = tmp_path / "whole.mp4"
    counter_clip(whole, "25", 100, after=("-movflags", "faststart"))
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    full, part = read_waveform(whole), read_waveform(cut)
    n = len(part.samples)
    assert 0 < n < 0.8 * len(full.samples)
    assert np.array_equal(part.samples[: n - 4096], full.samples[: n - 4096])
    assert "truncated" in part.flags


def test_damaged_packets_do_not_end_the_sound(tmp_path):
    whole = tmp_path / "whole.ts"
    run_ffmpeg("-f", "lavfi", "-i", "sine=500:d=4", "-c:a", "aac", whole)
    data = bytearray(whole.read_bytes())
    at = len(data) // 3
    noise = np.random.default_rng(1).integers(0, 256, 2000, dtype=np.uint8)
    data[at : at + 2000] = noise.tobytes()
    bad = tmp_path / "bad.ts"
    bad.write_bytes(bytes(data))
    full, part = read_waveform(whole), read_waveform(bad)
    assert part.is_valid_until == pytest.approx(full.is_valid_until, abs=0.03)
    assert np.abs(part.samples[-44100:]).max() > 0.1


@pytest.mark.real
def test_real_clips_sound_as_ffmpeg_decodes_them(real_data):
    clips = sorted((real_data / "AVE_Dataset" / "AVE").glob("*.mp4"))
    for clip in clips:
        info = probe(clip)
        wave, truth = read_waveform(clip), sound_by_ffmpeg(clip, info.n_channels)
        n = min(len(truth), len(wave.samples))
        assert abs(len(truth) - len(wave.samples)) < 2048
        assert np.abs(wave.samples[:n] - truth[:n]).max() < 1e-3
