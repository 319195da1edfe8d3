"""The sound of a file, against another program's decoder and plain arithmetic."""

from __future__ import annotations

import av
import numpy as np
import pytest
from media_clips import (
    counter_clip,
    origin_of,
    read_waveform,
    run_ffmpeg,
    sound_by_ffmpeg,
)

from avloc.errors import MediaError
from avloc.media import probe, write_clip

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


def same_in_every_channel(folder, n_channels, codec):
    """A low tone of 0.2, which a subwoofer's channel carries too, in each of the channels."""
    suffix = {"flac": "flac", "aac": "m4a", "libopus": "mka", "ac3": "ac3"}.get(codec, "wav")
    tones = "|".join(["0.2*sin(60*2*PI*t)"] * n_channels)
    layout = {2: "stereo", 6: "5.1"}[n_channels]
    source = f"aevalsrc={tones}:c={layout}:s=48000:d=2"
    bits = () if suffix in ("wav", "flac") else ("-b:a", "448k")
    run_ffmpeg("-f", "lavfi", "-i", source, "-c:a", codec, *bits, folder / f"a.{suffix}")
    return folder / f"a.{suffix}"


def loudness(samples):
    """Relative to the tone that went in, away from the ends."""
    return float(np.sqrt(np.mean(np.square(samples[24000:72000], dtype=np.float64))) * 2**0.5 / 0.2)


def ffmpegs_own_mono(path):
    resampler = av.AudioResampler(layout="mono")
    with av.open(str(path)) as container:
        frames = [one for frame in container.decode(audio=0) for one in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray().ravel() for frame in frames])


@pytest.mark.parametrize("codec", ["pcm_f32le", "aac", "libopus", "ac3"])
@pytest.mark.parametrize(("n_channels", "ffmpegs_gain"), [(2, 1.414), (6, 3.414)])
def test_mono_is_the_mean_and_not_ffmpegs_mix(tmp_path, n_channels, ffmpegs_gain, codec):
    path = same_in_every_channel(tmp_path, n_channels, codec)
    assert loudness(read_waveform(path).samples) == pytest.approx(1, abs=2e-3)
    assert loudness(ffmpegs_own_mono(path)) == pytest.approx(ffmpegs_gain, rel=2e-3)


@pytest.mark.parametrize("codec", ["pcm_u8", "pcm_s16le", "pcm_s32le", "pcm_f64le", "flac"])
@pytest.mark.parametrize("n_channels", [2, 6])
def test_the_mean_of_equal_channels_has_no_gain(tmp_path, n_channels, codec):
    path = same_in_every_channel(tmp_path, n_channels, codec)
    assert loudness(read_waveform(path).samples) == pytest.approx(1, abs=2e-3)


def test_opposite_channels_cancel(tmp_path):
    path = tmp_path / "a.wav"
    source = "aevalsrc=0.5*sin(2000*t)|-0.5*sin(2000*t):c=stereo:d=1"
    run_ffmpeg("-f", "lavfi", "-i", source, "-c:a", "pcm_f32le", path)
    assert np.abs(read_waveform(path).samples).max() < 1e-6


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
    assert origin_of(ts) > 1
    ours, whole = read_waveform(ts), read_waveform(mp4)
    # The packets of AAC's lead-in are played in TS and cut in MP4: 1024 samples.
    assert np.abs(ours.samples[1024 : 1024 + 60000] - whole.samples[:60000]).max() < 1e-4


def test_no_sound_is_refused_and_only_sound_is_sound(tmp_path):
    silent = counter_clip(tmp_path / "silent.mp4", sound=None)
    assert not probe(silent).has_audio
    with pytest.raises(MediaError, match="no sound"):
        read_waveform(silent)
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


@pytest.mark.parametrize("codec", ["aac", "pcm_f32le", "pcm_f64le"])
def test_samples_beyond_full_scale_are_cut(tmp_path, codec):
    """A loud square wave, which AAC gives back 40 % louder, and floats twice as loud."""
    loud = "aevalsrc='2*gt(sin(2*PI*300*t),0)-1':s=44100:d=1"
    volume = () if codec == "aac" else ("-af", "volume=2")
    path = tmp_path / "a.mka"
    run_ffmpeg("-f", "lavfi", "-i", loud, *volume, "-c:a", codec, path)
    assert np.abs(sound_by_ffmpeg(path, 1)).max() > 1.2
    samples = read_waveform(path).samples
    assert np.abs(samples).max() == 1
    np.testing.assert_allclose(samples, sound_by_ffmpeg(path, 1).clip(-1, 1), atol=1e-3)


@pytest.mark.real
def test_real_clips_sound_as_ffmpeg_decodes_them(real_data):
    clips = sorted((real_data / "AVE_Dataset" / "AVE").glob("*.mp4"))
    for clip in clips:
        with av.open(str(clip)) as container:
            n_channels = container.streams.audio[0].codec_context.channels
        wave, truth = read_waveform(clip), sound_by_ffmpeg(clip, n_channels)
        n = min(len(truth), len(wave.samples))
        assert abs(len(truth) - len(wave.samples)) < 2048
        assert np.abs(wave.samples[:n] - truth[:n]).max() < 1e-3
