import copy
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_encoders import Film

from avloc.errors import DependencyError, OutputError, UnknownNameError, UsageError
from avloc.features import WeightsPolicy, extract_video, load_encoders, runtimes
from avloc.features.architectures import VISUAL_ENCODERS
from avloc.features.encoders import load_encoder
from avloc.features.runtimes import choose_runtime, with_runtime

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture(scope="module")
def frames():
    frames = np.random.default_rng(0).integers(0, 256, (20, 224, 224, 3), dtype=np.uint8)
    return torch.from_numpy(frames)


def lite0(runtime):
    policy = WeightsPolicy(offline=True)
    return load_encoder(
        "visual",
        "efficientnet-lite0",
        device=CPU,
        precision="fp32",
        weights=policy,
        runtime=runtime,
    )


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["onnx", "compile"])
def test_a_runtime_changes_no_feature(frames, runtime):
    eager, other = lite0("eager"), lite0(runtime)
    expected, found = eager.encode(frames), other.encode(frames)
    assert type(other.network) is not type(eager.network)
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


@pytest.mark.slow
def test_onnx_gives_the_same_bits_in_groups_of_any_size(frames, monkeypatch):
    found = []
    for n_items in (1, 4, 16):
        architecture = replace(VISUAL_ENCODERS["efficientnet-lite0"], onnx_group=n_items)
        monkeypatch.setitem(VISUAL_ENCODERS, "efficientnet-lite0", architecture)
        encoder = lite0("onnx")
        assert encoder.group == n_items
        found.append(encoder.encode(frames[:6]))
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[1], found[2])


def test_sound_goes_through_onnx_too(tmp_path):
    # a network of VGGish's kind: patches in, vectors out
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96 * 64, 5)).eval()
    patches = torch.randn(8, 96, 64)
    expected = network(patches)
    run = with_runtime(lambda: network, "onnx", patches)
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
        with_runtime(torch.nn.ReLU, "compile", torch.zeros(1))
    assert "--runtime eager" in caught.value.hint


def test_the_weight_free_encoder_runs_by_onnx_as_by_torch():
    patches = np.random.default_rng(1).normal(size=(11, 96, 64)).astype(np.float32)
    found = [
        load_encoder(
            "audio",
            "logmel",
            device=CPU,
            precision="fp32",
            weights=WeightsPolicy(),
            runtime=runtime,
        ).encode(torch.from_numpy(patches))
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
            with_runtime(lambda: network, "onnx", torch.zeros(8, 96, 64))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert "--runtime eager" in caught.value.hint


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache folder; returns where networks are kept in it."""
    monkeypatch.setenv("AVLOC_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "networks"


class Built:
    """Makes a network of VGGish's kind, and counts how often."""

    def __init__(self, seed=0):
        torch.manual_seed(seed)
        self.network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96 * 64, 5)).eval()
        self.times = 0

    def __call__(self):
        self.times += 1
        return copy.deepcopy(self.network)


def test_an_export_is_kept_and_gives_the_same_bits(own_cache):
    patches, build = torch.randn(8, 96, 64), Built()
    bare = with_runtime(build, "onnx", patches)(patches)
    assert not own_cache.exists()  # without a key nothing is kept
    first = with_runtime(build, "onnx", patches, "vggish 1")(patches)
    assert build.times == 2
    again = with_runtime(build, "onnx", patches, "vggish 1")(patches)
    assert build.times == 2
    assert torch.equal(bare, first)
    assert torch.equal(first, again)
    assert [len(list(folder.iterdir())) for folder in own_cache.iterdir()] == [3]


def test_what_makes_another_network_is_not_taken_for_the_one_kept(own_cache):
    patches, build = torch.randn(8, 96, 64), Built()
    with_runtime(build, "onnx", patches, "vggish 1")
    other = Built(seed=1)
    run = with_runtime(other, "onnx", patches, "vggish 2")
    torch.testing.assert_close(run(patches), other.network(patches), atol=1e-4, rtol=1e-4)
    with_runtime(build, "onnx", patches[:4], "vggish 1")  # another group
    assert (build.times, other.times) == (2, 1)
    assert len(list(own_cache.iterdir())) == 3


@pytest.mark.parametrize("name", ["weights", "network.onnx", "digest"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "missing", "unreadable"])
def test_a_damaged_export_is_made_again(own_cache, name, damage):
    patches, build = torch.randn(8, 96, 64), Built()
    expected = with_runtime(build, "onnx", patches, "vggish 1")(patches)
    path = next(own_cache.glob(f"*/{name}"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    if damage == "unreadable":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes(content if damage == "flipped" else content[: len(content) // 2])
    assert torch.equal(with_runtime(build, "onnx", patches, "vggish 1")(patches), expected)
    assert build.times == 2
    with_runtime(build, "onnx", patches, "vggish 1")
    assert build.times == (3 if damage == "unreadable" else 2)  # a folder cannot be replaced


def test_a_cache_that_cannot_be_written_costs_only_time(own_cache):
    own_cache.parent.parent.mkdir(exist_ok=True)
    own_cache.parent.write_text("a file")
    patches, build = torch.randn(8, 96, 64), Built()
    run = with_runtime(build, "onnx", patches, "vggish 1")
    torch.testing.assert_close(run(patches), build.network(patches), atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_an_encoder_from_the_cache_gives_the_same_bits(own_cache, frames):
    exported = lite0("onnx").encode(frames[:3])
    files = {path: path.stat().st_mtime_ns for path in own_cache.glob("*/*")}
    assert len(files) == 3
    assert torch.equal(lite0("onnx").encode(frames[:3]), exported)
    assert files == {path: path.stat().st_mtime_ns for path in own_cache.glob("*/*")}


@pytest.mark.slow
def test_many_threads_may_load_and_extract_at_once(own_cache, tmp_path):
    clip = Film(2.0, rate=8).write(tmp_path / "a.mp4")  # its sound has to be resampled
    before = torch.get_num_threads()

    def features(_number):
        policy = WeightsPolicy(offline=True)
        encoders = load_encoders("efficientnet-lite0", "logmel", fps=2, weights=policy)
        return extract_video(clip, encoders)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(features, range(4)))
    for answer in answers[1:]:
        assert np.array_equal(answer.visual, answers[0].visual)
        assert np.array_equal(answer.audio, answers[0].audio)
    assert torch.get_num_threads() == before


def test_nothing_is_imported_before_it_is_needed():
    program = "import sys, avloc.features; print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(said.stdout.split())
    assert "torch" in loaded
    slow = {"librosa", "matplotlib", "numba", "onnx", "onnxruntime", "pandas", "requests"}
    assert not loaded & (slow | {"scipy", "sklearn", "timm", "torchaudio", "torchvision"})
