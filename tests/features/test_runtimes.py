import resource
import signal
import sys

import numpy as np
import pytest
import torch

from avloc.errors import DependencyError, OutputError, UnknownNameError, UsageError
from avloc.features import WeightsPolicy, load_encoders, runtimes
from avloc.features.audio import load_audio
from avloc.features.runtimes import choose_runtime, with_runtime
from avloc.features.visual import load_visual

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(0).integers(0, 256, (20, 224, 224, 3), dtype=np.uint8)


def lite0(runtime):
    policy = WeightsPolicy(offline=True)
    return load_visual(
        "efficientnet-lite0", device=CPU, precision="fp32", weights=policy, runtime=runtime
    )


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["onnx", "compile"])
def test_a_runtime_changes_no_feature(frames, runtime):
    eager, other = lite0("eager"), lite0(runtime)
    expected, found = eager.encode(frames), other.encode(frames)
    assert type(other.trunk) is not type(eager.trunk)
    assert float((found - expected).abs().max()) < 1e-5 * float(expected.abs().max())


@pytest.mark.slow
def test_onnx_gives_the_same_bits_in_any_company_and_on_any_number_of_threads(frames):
    encoder = lite0("onnx")
    together = encoder.encode(frames)
    alone = torch.cat([encoder.encode(frames[k : k + 1]) for k in (0, 7, 19)])
    assert torch.equal(alone, together[[0, 7, 19]])
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert torch.equal(lite0("onnx").encode(frames[:3]), together[:3])
    finally:
        torch.set_num_threads(before)


def test_sound_goes_through_onnx_too(tmp_path):
    # a network of VGGish's kind: patches in, vectors out
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96 * 64, 5)).eval()
    patches = torch.randn(8, 96, 64)
    expected = network(patches)
    run = with_runtime(network, "onnx", patches)
    torch.testing.assert_close(run(patches), expected, atol=1e-4, rtol=1e-4)


def test_auto_is_onnx_on_a_cpu_that_has_it_and_plain_elsewhere(monkeypatch):
    assert choose_runtime("auto", CPU) == "onnx"
    assert choose_runtime("auto", CUDA) == "eager"
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(runtimes, "find_spec", lambda name: None)
    assert choose_runtime("auto", CPU) == "eager"
    with pytest.raises(DependencyError, match="onnx") as caught:
        choose_runtime("onnx", CPU)
    assert "pip install -e '.[fast]'" in caught.value.hint


def test_runtimes_that_cannot_be():
    with pytest.raises(UnknownNameError, match="tensorrt"):
        choose_runtime("tensorrt", CPU)
    with pytest.raises(UsageError, match="cuda"):
        choose_runtime("onnx", CUDA)
    with pytest.raises(UnknownNameError):  # before any weights are looked for
        load_encoders("resnet152", "vggish", runtime="onyx")


def test_a_compiler_that_is_missing_is_told_in_words(monkeypatch):
    def fails(network, dynamic):
        def call(x):
            raise RuntimeError("InvalidCxxCompiler: No working C++ compiler found\nmore")

        return call

    monkeypatch.setattr(torch, "compile", fails)
    with pytest.raises(DependencyError, match="No working C") as caught:
        with_runtime(torch.nn.ReLU(), "compile", torch.zeros(1))
    assert "--runtime eager" in caught.value.hint


def test_the_weight_free_encoder_runs_by_onnx_as_by_torch():
    patches = np.random.default_rng(1).normal(size=(11, 96, 64)).astype(np.float32)
    found = [
        load_audio(
            "logmel", device=CPU, precision="fp32", weights=WeightsPolicy(), runtime=runtime
        ).encode(patches)
        for runtime in ("eager", "onnx")
    ]
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=1e-5)


def test_a_full_temporary_folder_is_told_in_words():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96 * 64, 50)).eval()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OutputError, match="temporary folder") as caught:
            with_runtime(network, "onnx", torch.zeros(8, 96, 64))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert "--runtime eager" in caught.value.hint
