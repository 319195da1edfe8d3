"""Networks of timm as visual encoders, against timm's own forward pass."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_hub import save_timm

from avloc.devices import choose_device
from avloc.errors import WeightsError
from avloc.features.encoders import load_encoder
from avloc.features.sources import find_source
from avloc.features.weights import WeightsPolicy

timm = pytest.importorskip("timm")
MEAN, STD = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.4, 0.5, 0.6])  # of `save_timm`


@pytest.mark.parametrize(
    ("architecture", "shape"), [("resnet10t", (3, 3, 512)), ("mobilenetv3_small_050", (3, 3, 288))]
)
def test_the_last_map_is_timms(architecture, shape, tmp_path):
    folder = save_timm(tmp_path / "tiny", architecture)
    encoder = load_encoder(
        "visual",
        f"timm:{folder}",
        device=choose_device("cpu"),
        precision="fp32",
        weights=WeightsPolicy(),
    )
    frames = torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8)
    )
    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    seen = {}
    stages = model.layer4 if hasattr(model, "layer4") else model.blocks[-1]
    stages.register_forward_hook(lambda _m, _i, out: seen.update(map=out))
    with torch.inference_mode():
        model(((frames / 255 - MEAN) / STD).permute(0, 3, 1, 2))
    found = encoder.encode(frames)
    assert found.shape == (2, *shape)
    assert encoder.embedding == shape
    assert found.std() > 1e-3
    torch.testing.assert_close(found, seen["map"].permute(0, 2, 3, 1), atol=1e-4, rtol=1e-4)


def test_size_and_resizing_are_the_models_own(tmp_path):
    source = find_source("visual", f"timm:{save_timm(tmp_path / 'tiny')}", WeightsPolicy())
    assert source.architecture.size == (96, 96)
    assert source.architecture.resize == "squash-bicubic-antialias"
    assert source.architecture.layer == "last map"
    assert source.licence == "apache-2.0"


def test_weights_of_another_network_are_refused(tmp_path):
    folder, other = save_timm(tmp_path / "a"), save_timm(tmp_path / "b", "mobilenetv3_small_050")
    (folder / "model.safetensors").write_bytes((other / "model.safetensors").read_bytes())
    with pytest.raises(WeightsError, match="cannot be read") as caught:
        find_source("visual", f"timm:{folder}", WeightsPolicy())
    assert "\n" not in str(caught.value)
