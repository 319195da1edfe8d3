"""CLAP as an audio encoder, against the library's own extractor and model."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from tiny_encoders import items_of
from tiny_hub import WIDTH, save_clap, transformers

from avloc.decoding.front_ends import find_front_end
from avloc.devices import choose_device
from avloc.features.encoders import load_encoder
from avloc.features.sources import find_source
from avloc.features.weights import WeightsPolicy
from avloc.timeline import Grid

RATE, N_SAMPLES = 48_000, 480_000


@pytest.fixture(scope="module", params=[False, True], ids=["unfused", "fused"])
def folder(request, tmp_path_factory):
    return save_clap(tmp_path_factory.mktemp("hub") / "clap", is_fused=request.param)


@pytest.fixture(scope="module")
def encoder(folder):
    return load_encoder(
        "audio",
        f"hf:{folder}",
        device=choose_device("cpu"),
        precision="fp32",
        weights=WeightsPolicy(),
    )


def sounds():
    time = np.arange(N_SAMPLES) / RATE
    noise = np.random.default_rng(0).normal(0, 0.1, N_SAMPLES)
    tone = 0.3 * np.sin(2 * np.pi * 440 * time) * (time > 5)
    return np.stack([noise, tone, np.zeros(N_SAMPLES)]).astype(np.float32)


def library_inputs(folder):
    own = transformers.AutoFeatureExtractor.from_pretrained(folder)
    return own(list(sounds()), sampling_rate=RATE, return_tensors="pt")


def test_the_log_mel_is_the_librarys(folder, encoder):
    found = encoder.prepare(torch.from_numpy(sounds()))
    expected = library_inputs(folder)["input_features"]
    torch.testing.assert_close(found, expected.float(), atol=2e-3, rtol=0)  # of decibels


def test_a_vector_is_the_librarys(folder, encoder):
    model = transformers.ClapModel.from_pretrained(folder).eval()
    features = library_inputs(folder)["input_features"].float()
    with torch.no_grad():  # the extractor would mark one of them at random as longer
        longer = torch.zeros(3, 1, dtype=torch.bool)
        pooled = model.get_audio_features(features, is_longer=longer).pooler_output
    found = encoder.encode(torch.from_numpy(sounds()))
    assert found.shape == (3, WIDTH)
    torch.testing.assert_close(
        found, torch.nn.functional.normalize(pooled, dim=-1), atol=1e-4, rtol=0
    )
    assert (found[0] - found[1]).abs().max() > 0.01
    assert torch.equal(found, encoder.encode(torch.from_numpy(sounds())))  # nothing is random


@pytest.mark.parametrize("seconds", [Fraction(1), Fraction(1, 4)])
def test_ten_seconds_around_the_middle_of_a_segment(folder, seconds):
    architecture = find_source("audio", f"hf:{folder}", WeightsPolicy()).architecture
    front_end = find_front_end(architecture.front_end(seconds))
    assert (front_end.rate, front_end.n_samples) == (RATE, N_SAMPLES)
    sound = np.arange(30 * RATE, dtype=np.float32)
    segments = items_of(front_end, [sound], RATE, Grid(int(30 / seconds), seconds))
    t = int(12 / seconds)
    (window,) = segments[t]
    middle = float((t + Fraction(1, 2)) * seconds) * RATE
    assert window[0] == middle - N_SAMPLES / 2
    assert window[-1] == middle + N_SAMPLES / 2 - 1
    assert not segments[0][0][: 4 * RATE].any()  # silence before the sound
