from fractions import Fraction

import librosa
import numpy as np
import pytest
import torch
import torchaudio
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_encoders import items_of, to_16khz
from vggish_reference import reference_log_mel, resampled_as_in_2018

from avloc.decoding import logmel
from avloc.decoding.front_ends import VGGISH, find_front_end
from avloc.features import resampling
from avloc.timeline import Grid

FRONT_END = find_front_end(VGGISH)


@pytest.fixture(scope="module")
def sine():
    time = np.linspace(0, 3, 3 * 44100)
    return np.sin(2 * np.pi * 1000 * time)


@pytest.fixture(scope="module")
def loud_and_soft():
    """Ten seconds of noise whose loudness changes every 10 ms."""
    draw = np.random.default_rng(0)
    loudness = np.repeat(draw.uniform(0.01, 0.3, 1000), 160)
    return (draw.normal(size=160_000) * loudness).astype(np.float32)


def segment_patches(pieces, grid):
    """Each segment's patches of sound at 16 kHz."""
    return items_of(FRONT_END, pieces, 16_000, grid)


def patches_of(pieces, n_segments):
    """Each second's one patch."""
    return [patch for (patch,) in segment_patches(pieces, Grid(n_segments))]


def by_matrix(spectrum):
    """Log-mel of a (257, frames) magnitude spectrum from elsewhere."""
    return np.log(logmel.mel_matrix().T @ spectrum + 0.01).T[:98]


SOUNDS = {
    "noise": lambda t, draw: draw.normal(0, 0.2, len(t)),
    "faint noise": lambda t, draw: draw.normal(0, 1e-3, len(t)),
    "full scale": lambda t, _: np.sign(np.sin(2 * np.pi * 440 * t)),
    "sweep": lambda t, _: 0.2 * np.sin(2 * np.pi * 3900 * t**2),
    "silence": lambda t, _: np.zeros(len(t)),
    "constant": lambda t, _: np.full(len(t), 0.7),
}


# A pure tone leaves most bands empty, where there is nothing but a sum's rounding, and each
# library's is its own: 8e-13 in double precision, 3e-4 in single.
BROAD = ("noise", "faint noise", "full scale", "silence")


@pytest.fixture(scope="module", params=SOUNDS)
def second(request):
    """A second of sound, float64."""
    return SOUNDS[request.param](np.arange(16000) / 16000, np.random.default_rng(0))


@pytest.fixture(scope="module", params=BROAD)
def broad_second(request):
    """A second of broad sound, float64."""
    return SOUNDS[request.param](np.arange(16000) / 16000, np.random.default_rng(0))


def test_log_mel_is_the_formula(second):
    ours, reference = logmel.exact_log_mel(second), reference_log_mel(second[:4000])
    assert ours.dtype == np.float64
    assert ours.shape == (98, 64)
    np.testing.assert_allclose(ours[: len(reference)], reference, rtol=0, atol=1e-12)


def test_log_mel_in_single_precision_is_the_formula(second):
    ours = logmel.log_mel(second.astype(np.float32))
    assert ours.dtype == np.float32
    reference = reference_log_mel(second[:4000])
    np.testing.assert_allclose(ours[: len(reference)], reference, rtol=0, atol=5e-5)


def test_log_mel_is_librosas_spectrum_through_the_matrix(broad_second):
    spectrum = np.abs(
        librosa.stft(
            np.pad(broad_second, 56), n_fft=512, hop_length=160, win_length=400, center=False
        )
    )
    ours = logmel.exact_log_mel(broad_second)
    np.testing.assert_allclose(by_matrix(spectrum), ours, rtol=0, atol=1.4e-13)


def test_log_mel_is_torchaudios_spectrum_through_the_matrix(broad_second):
    spectrum = torchaudio.transforms.Spectrogram(
        512, win_length=400, hop_length=160, pad=56, power=1, center=False
    )(torch.from_numpy(broad_second.astype(np.float32)))
    ours = logmel.exact_log_mel(broad_second)
    np.testing.assert_allclose(by_matrix(spectrum.numpy()), ours, rtol=0, atol=2e-5)


def test_log_mel_gives_the_published_corner_through_the_old_resampler(sine):
    patch = logmel.log_mel(resampled_as_in_2018(sine, 44100)[:15600])
    assert patch.shape == (96, 64)
    np.testing.assert_allclose(patch[0, :3], [-4.47297436, -4.29457354, -4.14940631], atol=2e-6)
    assert patch[0, -1] == pytest.approx(-3.78687669, abs=2e-6)


def test_our_resampler_is_near_the_old_one():
    # On broad sound, as in real clips; a pure tone also shows the old table's aliases at -80 dB.
    draw = np.random.default_rng(1)
    sound = (0.1 * draw.normal(size=2 * 44100)).astype(np.float32)
    ours = logmel.log_mel(to_16khz(sound, 44100)[:31000])
    old = logmel.log_mel(resampled_as_in_2018(sound, 44100)[:31000])
    assert np.abs(ours - old).mean() < 5e-3


def test_the_corner_with_our_resampler_is_near(sine):
    patch = logmel.log_mel(to_16khz(sine.astype(np.float32), 44100)[:15600])
    np.testing.assert_allclose(patch[0, :3], [-4.47297436, -4.29457354, -4.14940631], atol=3e-2)


def test_mel_matrix_is_kaldis():
    kaldi, _ = torchaudio.compliance.kaldi.get_mel_banks(
        64, 512, 16000.0, 125.0, 7500.0, 100.0, -500.0, 1.0
    )
    with_nyquist = torch.nn.functional.pad(kaldi, (0, 1)).T.numpy()
    # 1.02e-5 was measured: Kaldi computes in single precision
    np.testing.assert_allclose(logmel.mel_matrix(), with_nyquist, rtol=0, atol=1.05e-5)
    assert logmel.mel_matrix().shape == (257, 64)
    assert np.all(logmel.mel_matrix()[0] == 0)
    assert np.all(logmel.mel_matrix()[-1] == 0)


HTK = {
    "librosa": lambda: librosa.filters.mel(
        sr=16000, n_fft=512, n_mels=64, fmin=125.0, fmax=7500.0, htk=True, norm=None
    ),
    "torchaudio": lambda: torchaudio.functional.melscale_fbanks(
        257, 125.0, 7500.0, 64, 16000, norm=None, mel_scale="htk"
    ).T.numpy(),
}


@pytest.mark.parametrize("library", HTK)
def test_mel_matrix_is_not_the_htk_bank_of_libraries(library):
    """The known difference: linear in Hz there, in mel here; about 1.3e-2 at the worst."""
    noise = np.random.default_rng(2).normal(0, 0.1, 10 * 16000)
    spectrum = np.abs(
        librosa.stft(np.pad(noise, 56), n_fft=512, hop_length=160, win_length=400, center=False)
    )
    ours = logmel.exact_log_mel(noise)
    theirs = np.log(HTK[library]() @ spectrum + 0.01).T[: len(ours)]
    assert 0.9e-2 < np.abs(theirs - ours).max() < 1.7e-2


def test_each_second_gives_the_first_96_of_its_98_frames():
    noise = np.random.default_rng(3).normal(0, 0.1, 3 * 16000).astype(np.float32)
    patches = patches_of([noise], 3)
    for t, patch in enumerate(patches):
        own = logmel.log_mel(noise[t * 16000 : (t + 1) * 16000])
        assert len(own) == 98
        np.testing.assert_array_equal(patch, own[:96])


def test_patches_are_a_second_apart_and_not_0_96(loud_and_soft):
    """A hop of 0.96 s gives as many patches of the same shape, and other sound in each."""
    patches = np.stack(patches_of([loud_and_soft], 10))
    framed = logmel.log_mel(loud_and_soft)[:960].reshape(10, 96, 64)
    assert framed.shape == patches.shape
    np.testing.assert_array_equal(framed[0], patches[0])
    assert np.abs(framed - patches).mean() > 0.3


def test_sound_past_the_grids_end_is_not_heard(loud_and_soft):
    """AAC's last block is filled up: a tail that belongs to no segment."""
    tail = np.full(3000, 0.5, np.float32)
    patches = patches_of([np.concatenate([loud_and_soft, tail])], 10)
    assert len(patches) == 10
    for patch, own in zip(patches, patches_of([loud_and_soft], 10), strict=True):
        np.testing.assert_array_equal(patch, own)


def test_sound_that_ends_early_goes_on_in_silence():
    noise = np.random.default_rng(4).normal(0, 0.1, 20000).astype(np.float32)
    first, second, third = patches_of([noise], 3)
    silence = np.full((96, 64), np.log(0.01), np.float32)
    assert np.all(first > silence.min())
    np.testing.assert_array_equal(third, silence)
    n_heard = (4000 - 1) // 160 + 1
    np.testing.assert_array_equal(second[n_heard:], silence[n_heard:])
    assert np.any(second[:n_heard] != silence[:n_heard])


def test_a_patch_starts_with_its_second():
    assert [FRONT_END.starts(Grid(9), t) for t in (0, 1, 8)] == [[0], [16000], [128000]]


@pytest.mark.parametrize("seconds", [Fraction(1, 10), Fraction(1, 2), Fraction(9, 10)])
def test_the_patch_of_a_short_segment_is_centred_on_it(seconds):
    """Its 15,600 samples reach as far into the sound before as after, silence at the ends."""
    n_segments = int(3 / seconds)
    noise = np.random.default_rng(5).normal(0, 0.1, 3 * 16000).astype(np.float32)
    silent = np.zeros(16000, np.float32)
    padded = np.concatenate([silent, noise, silent])
    middles = [(t + Fraction(1, 2)) * seconds * 16000 for t in range(n_segments)]
    patches = list(
        segment_patches(np.split(noise, 7 * [0] + [9, 30000]), Grid(n_segments, seconds))
    )
    assert len(patches) == n_segments
    for middle, (patch,) in zip(middles, patches, strict=True):
        begin = int(16000 + middle - 7800)
        np.testing.assert_array_equal(patch, logmel.log_mel(padded[begin : begin + 15600]))


def test_a_long_segment_has_patches_that_cover_it():
    grid = Grid(2, Fraction(5, 2))  # three parts of 0.83 s, each centred in its patch
    assert [FRONT_END.starts(grid, t) for t in (0, 1)] == [
        [-1134, 12200, 25533],
        [38866, 52200, 65533],
    ]
    assert FRONT_END.starts(Grid(2, Fraction(2)), 1) == [32000, 48000]
    noise = np.random.default_rng(5).normal(0, 0.1, 5 * 16000).astype(np.float32)
    _, patches = segment_patches([noise], grid)
    expected = [logmel.log_mel(noise[start:][:15600]) for start in (38866, 52200)]
    np.testing.assert_array_equal(patches[:2], expected)


@pytest.mark.parametrize("rate", [8000, 22050, 44056, 48000, 11127])
def test_resampling_keeps_a_tone(rate):
    tone = np.sin(2 * np.pi * 500 * np.arange(rate) / rate).astype(np.float32)
    resampled = to_16khz(tone, rate)
    assert len(resampled) == 16000
    expected = np.sin(2 * np.pi * 500 * np.arange(16000) / 16000)
    assert np.abs(resampled - expected)[1000:-1000].max() < 1e-3


def test_resampling_in_blocks_is_resampling_at_once(monkeypatch):
    noise = np.random.default_rng(6).normal(0, 0.1, 7 * 44100 + 321).astype(np.float32)
    whole = to_16khz(noise, 44100)
    monkeypatch.setattr(resampling, "_BLOCK_SECONDS", 2)
    np.testing.assert_allclose(to_16khz(noise, 44100), whole, atol=1e-6)
    assert len(whole) == -(-len(noise) * 160 // 441)


def test_16khz_is_left_alone():
    noise = np.random.default_rng(7).normal(size=100).astype(np.float32)
    assert resampling.Resampler(16000, 16000).add(noise) is noise


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 11127])
@given(cuts=st.lists(st.integers(0, 130 * 8000), max_size=6))
@settings(max_examples=5)
def test_sound_in_pieces_is_the_same_sound(rate, cuts):
    noise = np.random.default_rng(0).normal(0, 0.1, 130 * 8000).astype(np.float32)
    pieces = np.split(noise, sorted(cuts))
    resampler = resampling.Resampler(rate, 16000)
    streamed = np.concatenate([*map(resampler.add, pieces), resampler.finish()])
    np.testing.assert_array_equal(streamed, to_16khz(noise, rate))
    assert len(streamed) == -(-len(noise) * 16000 // rate)
    grid = Grid(70, Fraction(9, 10))
    whole = list(segment_patches([noise], grid))
    np.testing.assert_array_equal(list(segment_patches(pieces, grid)), whole)
