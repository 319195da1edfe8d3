import dataclasses

import numpy as np
import pytest
import torch
from random_weights import random_weights
from tiny_encoders import CPU, Film

from avloc.errors import FingerprintError, UsageError
from avloc.features import WeightsPolicy, encoders_for, extract_video, load_encoders
from avloc.features.precision import (
    arithmetic,
    choose_precision,
    has_bf16,
    in_precision,
    rounds_to,
)
from avloc.features.runtimes import choose_runtime

OFFLINE = WeightsPolicy(offline=True)
CUDA = torch.device("cuda")


@pytest.fixture
def with_bf16(monkeypatch):
    """A processor that says that it has bf16; one that has not gives the same, slowly."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})


@pytest.fixture
def without_bf16(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_f": True})


def test_fp32_on_cuda_is_not_tf32_whatever_the_program_chose():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with arithmetic(torch.device("cuda"), "fp32"):
            assert torch.get_float32_matmul_precision() == "highest"
            assert not torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == "medium"
        assert torch.backends.cudnn.allow_tf32
    finally:
        torch.set_float32_matmul_precision(before)


def test_auto_precision_goes_by_the_device():
    assert choose_precision("auto", torch.device("cpu")) == "fp32"
    assert choose_precision("auto", torch.device("cuda")) == "fp16"
    assert choose_precision("bf16", CPU) == "bf16"


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [({"amx_bf16": True}, True), ({"avx512_bf16": True}, True), ({"amx_int8": True}, False)],
)
def test_a_processor_says_whether_it_has_bf16(monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert has_bf16(CPU) == expected
    assert rounds_to(CPU, "bf16") == (torch.bfloat16 if expected else torch.float32)


def test_only_the_named_class_rounds_on_a_processor(with_bf16):
    assert rounds_to(CPU, "fp32") == rounds_to(CPU, "fp16") == torch.float32
    assert rounds_to(CUDA, "fp16") == torch.float16


def test_bf16_is_a_products_rounding_of_weights_and_inputs(with_bf16):
    """Against the definition: both factors rounded to 8 bits, the sum in double precision."""
    torch.manual_seed(0)
    network = torch.nn.Linear(300, 5, bias=False).requires_grad_(False)
    x = torch.randn(7, 300)
    rounded = (x.bfloat16().double() @ network.weight.bfloat16().double().T).bfloat16()
    found = in_precision(network, CPU, "bf16")(x)
    assert found.dtype == torch.bfloat16
    step = 2.0**-7  # of the result's own rounding, which may go either way
    torch.testing.assert_close(found.double(), rounded.double(), rtol=step, atol=1e-3)


@pytest.fixture(scope="module")
def resnets():
    """The same made-up ResNet-18 in fp32 and in bf16, whatever this processor calculates in."""
    with random_weights(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
        return [
            load_encoders("resnet18", "logmel", device="cpu", precision=name, runtime="eager")
            for name in ("fp32", "bf16")
        ]


@pytest.fixture(scope="module")
def frames():
    draw = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (3, 224, 224, 3), dtype=torch.uint8, generator=draw)
    frames[1] = frames[0]
    return frames


def test_the_picture_is_encoded_in_bf16_and_sound_is_not(resnets, frames):
    single, rounded = resnets
    assert single.spec.fingerprint != rounded.spec.fingerprint
    assert rounded.spec.differences(single.spec) == "precision: bf16 here, fp32 there"
    expected, found = single.visual.encode(frames), rounded.visual.encode(frames)
    assert found.dtype == torch.float32
    assert 1e-3 < float((found - expected).norm() / expected.norm()) < 0.02
    patches = torch.randn(2, 96, 64)
    assert torch.equal(single.audio.encode(patches), rounded.audio.encode(patches))


@pytest.mark.skipif(not has_bf16(CPU), reason="this processor does not calculate in bf16")
def test_bf16_gives_the_same_bits_in_any_company_and_on_any_number_of_threads(resnets, frames):
    encoder, before = resnets[1].visual, torch.get_num_threads()
    together = encoder.encode(frames)
    assert torch.equal(together[0], together[1])
    try:
        for n_threads in (1, 3):
            torch.set_num_threads(n_threads)
            assert torch.equal(encoder.encode(frames[2:]), together[2:])
    finally:
        torch.set_num_threads(before)


def test_new_bf16_features_need_the_hardware_and_a_model_of_them_does_not(without_bf16, tmp_path):
    names = ("colours", "logmel")
    with pytest.raises(UsageError, match="this processor does not calculate in bf16") as caught:
        load_encoders(*names, device="cpu", precision="bf16", weights=OFFLINE)
    assert "--precision bf16" in caught.value.hint
    single = load_encoders(*names, fps=2, device="cpu", weights=OFFLINE)
    spec = dataclasses.replace(single.spec, precision="bf16")
    there = encoders_for(spec, device="cpu", weights=OFFLINE)
    assert there.spec == spec
    path = Film(seconds=1.0).write(tmp_path / "film.mp4")
    here, expected = extract_video(path, there), extract_video(path, single)
    np.testing.assert_array_equal(here.visual, expected.visual)
    assert here.fingerprint == spec.fingerprint


def test_a_spec_of_one_class_is_not_met_by_another(with_bf16):
    spec = load_encoders("colours", "logmel", device="cpu", weights=OFFLINE).spec
    with pytest.raises(FingerprintError, match="rules"):
        encoders_for(dataclasses.replace(spec, precision="bf16", rules=99), weights=OFFLINE)


def test_onnx_takes_fp32_only():
    assert choose_runtime("auto", CPU, torch.bfloat16) == "eager"
    with pytest.raises(UsageError, match="fp32 only"):
        choose_runtime("onnx", CPU, torch.bfloat16)
