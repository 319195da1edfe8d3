from fractions import Fraction

import librosa
import numpy as np
import pytest
import torch
import torchaudio

from avloc.features import logmel


def reference_log_mel(x):
    """The front end once more, frame by frame and band by band, in float64."""
    hann = np.array([0.5 * (1 - np.cos(2 * np.pi * n / 400)) for n in range(400)])

    def mel(f):
        return 1127.0 * np.log(1.0 + f / 700.0)

    edges = mel(125.0) + (mel(7500.0) - mel(125.0)) * np.arange(66) / 65
    rows = []
    for start in range(0, len(x) - 399, 160):
        buffer = np.zeros(512)
        buffer[:400] = x[start : start + 400] * hann
        magnitude = np.abs(np.fft.fft(buffer))[:257]
        bands = []
        for b in range(64):
            total = 0.0
            for k in range(1, 257):
                at = mel(k * 8000.0 / 256)
                up = (at - edges[b]) / (edges[b + 1] - edges[b])
                down = (edges[b + 2] - at) / (edges[b + 2] - edges[b + 1])
                total += magnitude[k] * max(0.0, min(up, down))
            bands.append(np.log(total + 0.01))
        rows.append(bands)
    return np.array(rows)


def resampled_as_in_2018(x, rate):
    """Resample as resampy 0.2's ``kaiser_best`` did: a sinc table of 512 steps a zero
    crossing, read with linear interpolation, its stride cut to a whole number of steps."""
    steps, n_table = 512, 512 * 64
    ratio = 16000 / rate
    places = np.linspace(0, 64, n_table + 1)
    taper = np.kaiser(2 * n_table + 1, 14.769656459379492)[n_table:]
    table = ratio * 0.9475937167399596 * np.sinc(0.9475937167399596 * places) * taper
    slope = np.append(np.diff(table), 0.0)
    stride = int(ratio * steps)
    times = np.arange(int(len(x) * ratio)) / ratio
    whole = times.astype(int)
    y = np.zeros(len(times))
    for side in (0, 1):  # samples before and at the time, then those after it
        distance = ratio * np.abs(side - (times - whole)) * steps
        offset = distance.astype(int)
        for i in range(n_table // stride + 1):
            source = whole - i if side == 0 else whole + 1 + i
            is_used = (i < (n_table + 1 - offset) // stride) & (source >= 0) & (source < len(x))
            at = np.minimum(offset + i * stride, n_table)
            weight = table[at] + (distance - offset) * slope[at]
            y += np.where(is_used, weight * x[np.clip(source, 0, len(x) - 1)], 0.0)
    return y


@pytest.fixture(scope="module")
def sine():
    time = np.linspace(0, 3, 3 * 44100)
    return np.sin(2 * np.pi * 1000 * time)


def test_log_mel_is_the_formula():
    noise = np.random.default_rng(0).normal(0, 0.2, 2000).astype(np.float32)
    np.testing.assert_allclose(
        logmel.log_mel(noise), reference_log_mel(noise.astype(float)), atol=1e-6
    )


def test_log_mel_gives_the_published_corner_through_the_old_resampler(sine):
    patch = logmel.log_mel(resampled_as_in_2018(sine, 44100)[:15600])
    assert patch.shape == (96, 64)
    np.testing.assert_allclose(patch[0, :3], [-4.47297436, -4.29457354, -4.14940631], atol=2e-6)
    assert patch[0, -1] == pytest.approx(-3.78687669, abs=2e-6)


def test_our_resampler_is_near_the_old_one():
    # On broad sound, as in real clips; a pure tone also shows the old table's aliases at -80 dB.
    draw = np.random.default_rng(1)
    sound = (0.1 * draw.normal(size=2 * 44100)).astype(np.float32)
    ours = logmel.log_mel(logmel.to_16khz(sound, 44100)[:31000])
    old = logmel.log_mel(resampled_as_in_2018(sound, 44100)[:31000])
    assert np.abs(ours - old).mean() < 5e-3


def test_the_corner_with_our_resampler_is_near(sine):
    patch = logmel.log_mel(logmel.to_16khz(sine.astype(np.float32), 44100)[:15600])
    np.testing.assert_allclose(patch[0, :3], [-4.47297436, -4.29457354, -4.14940631], atol=3e-2)


def test_mel_matrix_is_kaldis():
    kaldi, _ = torchaudio.compliance.kaldi.get_mel_banks(
        64, 512, 16000.0, 125.0, 7500.0, 100.0, -500.0, 1.0
    )
    with_nyquist = torch.nn.functional.pad(kaldi, (0, 1)).T.numpy()
    np.testing.assert_allclose(logmel.mel_matrix(), with_nyquist, atol=2e-5)
    assert np.all(logmel.mel_matrix()[0] == 0)


def test_mel_matrix_is_not_the_htk_bank_of_libraries():
    noise = np.random.default_rng(2).normal(0, 0.1, 16000)
    htk = librosa.filters.mel(
        sr=16000, n_fft=512, n_mels=64, fmin=125.0, fmax=7500.0, htk=True, norm=None
    )
    spectrum = np.abs(
        librosa.stft(np.pad(noise, 56), n_fft=512, hop_length=160, win_length=400, center=False)
    )
    ours = logmel.log_mel(noise)
    np.testing.assert_allclose(
        np.log(logmel.mel_matrix().T @ spectrum + 0.01).T[: len(ours)], ours, atol=1e-6
    )
    off = np.abs(np.log(htk @ spectrum + 0.01).T[: len(ours)] - ours).max()
    assert 5e-3 < off < 5e-2  # the known difference: linear in Hz there, in mel here


def test_each_second_gives_the_first_96_of_its_98_frames():
    noise = np.random.default_rng(3).normal(0, 0.1, 3 * 16000).astype(np.float32)
    patches = list(logmel.segment_patches(noise, 3))
    for t, patch in enumerate(patches):
        own = logmel.log_mel(noise[t * 16000 : (t + 1) * 16000])
        assert len(own) == 98
        np.testing.assert_array_equal(patch, own[:96])


def test_sound_that_ends_early_goes_on_in_silence():
    noise = np.random.default_rng(4).normal(0, 0.1, 20000).astype(np.float32)
    first, second, third = logmel.segment_patches(noise, 3)
    silence = np.full((96, 64), np.log(0.01), np.float32)
    assert np.all(first > silence.min())
    np.testing.assert_array_equal(third, silence)
    n_heard = (4000 - 1) // 160 + 1
    np.testing.assert_array_equal(second[n_heard:], silence[n_heard:])
    assert np.any(second[:n_heard] != silence[:n_heard])


def test_longer_segments_begin_where_the_grid_says():
    noise = np.random.default_rng(5).normal(0, 0.1, 5 * 16000).astype(np.float32)
    patches = list(logmel.segment_patches(noise, 2, Fraction(5, 2)))
    np.testing.assert_array_equal(patches[1], logmel.log_mel(noise[40000:55600]))


@pytest.mark.parametrize("rate", [8000, 22050, 44056, 48000, 11127])
def test_resampling_keeps_a_tone(rate):
    tone = np.sin(2 * np.pi * 500 * np.arange(rate) / rate).astype(np.float32)
    resampled = logmel.to_16khz(tone, rate)
    assert len(resampled) == 16000
    expected = np.sin(2 * np.pi * 500 * np.arange(16000) / 16000)
    assert np.abs(resampled - expected)[1000:-1000].max() < 1e-3


def test_resampling_in_blocks_is_resampling_at_once(monkeypatch):
    noise = np.random.default_rng(6).normal(0, 0.1, 7 * 44100 + 321).astype(np.float32)
    whole = logmel.to_16khz(noise, 44100)
    monkeypatch.setattr(logmel, "_BLOCK_SECONDS", 2)
    np.testing.assert_allclose(logmel.to_16khz(noise, 44100), whole, atol=1e-6)
    assert len(whole) == -(-len(noise) * 160 // 441)


def test_16khz_is_left_alone():
    noise = np.random.default_rng(7).normal(size=100).astype(np.float32)
    assert logmel.to_16khz(noise, 16000) is noise
