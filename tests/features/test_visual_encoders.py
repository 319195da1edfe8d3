import dataclasses
import hashlib
from unittest.mock import patch

import numpy as np
import pytest
import torch
import torchvision
from tiny_encoders import CPU
from torch import nn
from torchvision.models import ResNet152_Weights

from avloc.errors import UnknownNameError, WeightsError
from avloc.features import list_visual_encoders
from avloc.features.encoders import load_encoder
from avloc.features.visual_networks import resnet_trunk, torchvision_record, vgg19_trunk
from avloc.features.weights import WeightsPolicy, WeightsRecord, fetch


def seeded(name, folder):
    """Save torchvision's own seeded network, its normalisations made to matter."""
    torch.manual_seed(0)
    model = torchvision.models.get_model(name, weights=None).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    torch.save(model.state_dict(), folder / f"{name}.pth")
    sha256 = hashlib.sha256((folder / f"{name}.pth").read_bytes()).hexdigest()
    return model, WeightsRecord(name, f"{name}.pth", "nowhere", sha256[:8], "none")


def load(name, folder, record):
    with patch("avloc.features.sources.fetch", lambda _record, policy: fetch(record, policy)):
        return load_encoder(
            "visual", name, device=CPU, precision="fp32", weights=WeightsPolicy(folder, True)
        )


def frames_of(n):
    frames = np.random.default_rng(n).integers(0, 256, (n, 224, 224, 3), dtype=np.uint8)
    return torch.from_numpy(frames)


def imagenet(frames):
    x = frames.permute(0, 3, 1, 2) / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (x - mean[:, None, None]) / std[:, None, None]


def last_map(model, x):
    """What torchvision's own forward has after ``layer4``: (n, D, 7, 7)."""
    seen = {}
    hook = model.layer4.register_forward_hook(lambda _m, _i, out: seen.update(map=out))
    with torch.inference_mode():
        model(x)
    hook.remove()
    return seen["map"]


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("resnet18", 512),
        ("resnet34", 512),
        ("resnet50", 2048),
        pytest.param("resnet101", 2048, marks=pytest.mark.slow),
        pytest.param("resnet152", 2048, marks=pytest.mark.slow),
    ],
)
def test_resnet_gives_torchvisions_last_map(name, channels, tmp_path):
    model, record = seeded(name, tmp_path)
    x = imagenet(frames_of(1))
    expected = last_map(model, x)
    assert expected.std() > 0.1
    trunk = resnet_trunk(name, model.state_dict(), record).eval()
    with torch.inference_mode():
        assert torch.equal(trunk(x), expected)
    # loaded from a file, its normalisations folded, in channels-last memory: but for rounding
    encoder = dataclasses.replace(load(name, tmp_path, record), group=1)
    maps = encoder.encode(frames_of(1))
    assert maps.shape == (1, 7, 7, channels)
    assert encoder.embedding == (7, 7, channels)
    scale = float(expected.abs().max())
    torch.testing.assert_close(maps, expected.permute(0, 2, 3, 1), rtol=0, atol=1e-5 * scale)
    assert len(encoder.weights_sha256) == 64
    assert encoder.weights_sha256.startswith(record.sha256)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in encoder.network.modules())


def test_vgg19_gives_block5_pool(tmp_path):
    with torch.device("meta"):
        features = torchvision.models.vgg19(weights=None).features
    features.to_empty(device="cpu")  # without the classifier's half gigabyte
    torch.manual_seed(0)
    for module in features:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            nn.init.uniform_(module.bias, -0.1, 0.1)
    state = {f"features.{name}": tensor for name, tensor in features.state_dict().items()}
    torch.save(state, tmp_path / "vgg19.pth")
    sha256 = hashlib.sha256((tmp_path / "vgg19.pth").read_bytes()).hexdigest()
    record = WeightsRecord("vgg19", "vgg19.pth", "nowhere", sha256, "none")
    encoder = load("vgg19", tmp_path, record)
    encoder = dataclasses.replace(encoder, group=2)
    x = imagenet(frames_of(1))
    with torch.inference_mode():
        expected = features(x)
        assert torch.equal(vgg19_trunk("vgg19", state, record).eval()(x), expected)
    assert expected.std() > 0.1
    maps = encoder.encode(frames_of(1))
    assert maps.shape == (1, 7, 7, 512)
    atol = 1e-5 * float(expected.max())
    torch.testing.assert_close(maps, expected.permute(0, 2, 3, 1), rtol=0, atol=atol)


def test_a_map_does_not_depend_on_its_batch(tmp_path):
    _, record = seeded("resnet18", tmp_path)
    encoder = load("resnet18", tmp_path, record)
    frames = frames_of(11)
    maps = encoder.encode(frames)
    assert torch.equal(encoder.encode(frames[8:]), maps[8:])
    assert torch.equal(encoder.encode(frames[4:5]), maps[4:5])
    shuffled = np.random.default_rng(0).permutation(11)
    assert torch.equal(encoder.encode(frames[shuffled]), maps[shuffled])


def test_records_come_from_torchvision():
    record = torchvision_record("resnet152")
    assert record.url == ResNet152_Weights.IMAGENET1K_V1.url
    assert record.file == "resnet152-394f9c45.pth"
    assert record.sha256 == "394f9c45"


@pytest.mark.parametrize(
    "name", sorted(set(list_visual_encoders()) - {"efficientnet-lite0", "colours"})
)
def test_every_torchvision_encoder_has_a_record(name):
    record = torchvision_record(name)
    assert record.url.startswith("https://")
    assert record.file.startswith(name)
    assert record.n_bytes > 40e6


def test_weights_of_another_network_are_refused(tmp_path):
    _, record = seeded("resnet18", tmp_path)
    with pytest.raises(WeightsError, match="do not fit"):
        load("resnet50", tmp_path, record)


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(UnknownNameError) as caught:
        load_encoder("visual", "resnet512", device=CPU, precision="fp32", weights=WeightsPolicy())
    assert "Did you mean 'resnet152'?" in caught.value.hint
