"""A file's sound to its features: scale, downmix, resampling, seconds, and where they end.

By the weight-free encoder, whose features are each second's mean and deviation of every band:
any other second, gain or order of steps shows in them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from media_clips import run_ffmpeg
from scipy.io import wavfile
from tiny_encoders import tiny_encoders, to_16khz
from vggish_reference import reference_log_mel

from avloc.features import extract_video
from avloc.timeline import Grid


@pytest.fixture(scope="module")
def encoders():
    return tiny_encoders()


def noise(n_channels, rate, seconds=3):
    """(n, channels) int16 whose loudness changes every 10 ms, in each channel its own way."""
    draw = np.random.default_rng(7)
    loudness = draw.uniform(100, 9000, (seconds * 100, n_channels)).repeat(rate // 100, axis=0)
    return (draw.normal(size=loudness.shape) * loudness).clip(-32768, 32767).astype(np.int16)


def expected(samples):
    """Each second's first 0.975 s through the reference front end: its bands' statistics."""
    patches = [
        reference_log_mel(samples[begin : begin + 15600])
        for begin in range(0, len(samples) - 15999, 16000)
    ]
    return np.stack([np.concatenate([patch.mean(0), patch.std(0)]) for patch in patches])


def test_a_second_is_heard_as_int16_over_32768(tmp_path, encoders):
    samples = noise(1, 16000)[:, 0]
    wavfile.write(tmp_path / "a.wav", 16000, samples)
    features = extract_video(tmp_path / "a.wav", encoders)
    np.testing.assert_allclose(features.audio, expected(samples / 32768), rtol=0, atol=5e-5)


@pytest.mark.parametrize("n_channels", [2, 6])
def test_channels_are_averaged_before_resampling(tmp_path, encoders, n_channels):
    samples = noise(n_channels, 44100)
    wavfile.write(tmp_path / "a.wav", 44100, samples)
    features = extract_video(tmp_path / "a.wav", encoders)
    mean = (samples / 32768).mean(axis=1).astype(np.float32)
    np.testing.assert_allclose(features.audio, expected(to_16khz(mean, 44100)), rtol=0, atol=5e-5)


@pytest.mark.parametrize("suffix", ["aac", "m4a", "ts", "mkv"])
def test_an_aac_tail_makes_no_segment(tmp_path, encoders, suffix):
    """The last block is filled up past 3 s; the lead-in may be heard before them."""
    wavfile.write(tmp_path / "a.wav", 16000, noise(1, 16000))
    run_ffmpeg("-i", tmp_path / "a.wav", "-c:a", "aac", "-b:a", "96k", tmp_path / f"a.{suffix}")
    features = extract_video(tmp_path / f"a.{suffix}", encoders)
    assert features.audio.shape == (3, 128)
    assert features.audio_valid.all()
    longer = extract_video(tmp_path / f"a.{suffix}", encoders, grid=Grid(5))
    np.testing.assert_array_equal(longer.audio[:3], features.audio)
    np.testing.assert_allclose(longer.audio[4, :64], np.log(0.01), rtol=1e-6)
    assert longer.audio_valid.tolist()[4] is False


def test_windows_hear_what_lies_beyond_a_short_grid(tmp_path, encoders):
    wavfile.write(tmp_path / "a.wav", 44100, noise(1, 44100, seconds=6)[:, 0])
    spec = replace(encoders.spec, front_end="waveform-16000-2s")
    ends = replace(encoders.audio, network=lambda x: x[:, [0, 16_000, -1]], prepare=lambda x: x)
    wide = replace(encoders, spec=spec, audio=ends)
    short = extract_video(tmp_path / "a.wav", wide, grid=Grid(3))
    whole = extract_video(tmp_path / "a.wav", wide)
    np.testing.assert_array_equal(short.audio, whole.audio[:3])
    assert short.audio[:, 2].all()  # half a second beyond the segment
    assert short.audio_valid.tolist() == [True] * 3
