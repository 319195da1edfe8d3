import hashlib
import math

import numpy as np
import pytest
import torch
from tiny_encoders import CPU

from avloc.errors import UnknownNameError, WeightsError
from avloc.features.audio_networks import VGGISH_WEIGHTS, VGGish
from avloc.features.encoders import load_encoder
from avloc.features.weights import WeightsPolicy, WeightsRecord, fetch

# What the converted file `vggish-10086976.pth` holds, name by name.
CONVERTED = {
    "features.0": (64, 1, 3, 3),
    "features.3": (128, 64, 3, 3),
    "features.6": (256, 128, 3, 3),
    "features.8": (256, 256, 3, 3),
    "features.11": (512, 256, 3, 3),
    "features.13": (512, 512, 3, 3),
    "embeddings.0": (4096, 512 * 6 * 4),
    "embeddings.2": (4096, 4096),
    "embeddings.4": (128, 4096),
}


def converted_shapes():
    weights = {f"{name}.weight": shape for name, shape in CONVERTED.items()}
    return weights | {f"{name}.bias": shape[:1] for name, shape in CONVERTED.items()}


def test_vggish_has_the_converted_weights_names_and_shapes():
    with torch.device("meta"):
        network = VGGish()
    assert {n: tuple(t.shape) for n, t in network.state_dict().items()} == converted_shapes()
    assert sum(p.numel() for p in network.parameters()) == 72_141_184


def test_vggishs_maps_halve_after_64_128_and_the_second_256_and_512():
    with torch.device("meta"):
        network = VGGish()
        x, shapes = torch.zeros(1, 1, 96, 64), []
        for layer in network.features:
            x = layer(x)
            shapes.append((type(layer).__name__, tuple(x.shape[1:])))
    assert [shape for kind, shape in shapes if kind == "MaxPool2d"] == [
        (64, 48, 32),
        (128, 24, 16),
        (256, 12, 8),
        (512, 6, 4),
    ]
    kinds = [kind[0] for kind, _ in shapes]  # Convolution, ReLU, MaxPool
    assert "".join(kinds) == "CRMCRMCRCRMCRCRM"


def test_vggish_record_takes_its_hash_from_the_name():
    assert VGGISH_WEIGHTS.file == "vggish-10086976.pth"
    assert VGGISH_WEIGHTS.sha256 == "10086976"


@pytest.fixture(scope="module")
def tracing_state():
    """Weights that carry one input cell through to one output number.

    Every convolution copies input channel 0 to output channel c (its middle tap c + 1), so
    map (h, w, c) is (c + 1) times the patch's maximum over a 16 x 16 block.
    """
    state = {name: torch.zeros(shape) for name, shape in converted_shapes().items()}
    for k in (0, 3, 6, 8, 11):
        state[f"features.{k}.weight"][0, 0, 1, 1] = 1.0
    state["features.13.weight"][:, 0, 1, 1] = torch.arange(1.0, 513.0)
    return state


def test_vggish_flattens_height_width_channel(tracing_state):
    patch = torch.rand(1, 96, 64)
    blocks = patch[0].reshape(6, 16, 4, 16).amax(dim=(1, 3))  # H=6 of time, W=4 of bands
    h, w, c = 4, 2, 300
    state = {name: tensor.clone() for name, tensor in tracing_state.items()}
    state["embeddings.0.weight"][0, (h * 4 + w) * 512 + c] = 1.0
    state["embeddings.2.weight"][0, 0] = 1.0
    state["embeddings.4.weight"][5, 0] = 1.0
    state["embeddings.4.bias"][6] = -1.0
    with torch.device("meta"):
        network = VGGish()
    network.load_state_dict(state, assign=True)
    with torch.inference_mode():
        vector = network(patch)[0]
    torch.testing.assert_close(vector[5], (c + 1) * blocks[h, w])
    assert vector[6] == 0  # the last ReLU is kept


@pytest.fixture(scope="module")
def seeded_vggish(tmp_path_factory):
    """A folder with seeded random weights, and their record."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    state = {
        name: torch.randn(shape) * (0.5 / max(1, math.prod(shape[1:])) ** 0.5)
        for name, shape in converted_shapes().items()
    }
    torch.save(state, folder / "seeded.pth")
    sha256 = hashlib.sha256((folder / "seeded.pth").read_bytes()).hexdigest()
    return folder, WeightsRecord("vggish", "seeded.pth", "nowhere", sha256, "none"), state


@pytest.mark.slow
def test_vggish_loads_and_does_not_depend_on_the_batch(seeded_vggish, monkeypatch):
    folder, record, state = seeded_vggish
    monkeypatch.setattr(
        "avloc.features.sources.fetch", lambda _record, policy: fetch(record, policy)
    )
    encoder = load_encoder(
        "audio", "vggish", device=CPU, precision="fp32", weights=WeightsPolicy(folder, True)
    )
    assert encoder.weights_sha256 == record.sha256
    patches = np.random.default_rng(0).normal(size=(11, 96, 64)).astype(np.float32)
    vectors = encoder.encode(torch.from_numpy(patches))
    assert vectors.shape == (11, 128)
    assert (vectors > 0).any(dim=0).sum() > 32  # the random network is alive
    one_by_one = torch.cat(
        [encoder.encode(torch.from_numpy(patches[k : k + 1])) for k in range(11)]
    )
    assert torch.equal(one_by_one, vectors)
    x = torch.from_numpy(patches)[:, None]
    for k in (0, 3, 6, 8, 11, 13):
        w, b = state[f"features.{k}.weight"], state[f"features.{k}.bias"]
        x = torch.nn.functional.conv2d(x, w, b, padding=1).clamp(min=0)
        if k in (0, 3, 8, 13):
            x = torch.nn.functional.max_pool2d(x, 2)
    flat = torch.stack([x[:, :, h, w] for h in range(6) for w in range(4)], dim=1).flatten(1)
    for k in (0, 2, 4):
        flat = (flat @ state[f"embeddings.{k}.weight"].T + state[f"embeddings.{k}.bias"]).clamp(
            min=0
        )
    torch.testing.assert_close(vectors, flat, rtol=1e-4, atol=1e-4)


def test_logmel_is_the_bands_mean_and_deviation():
    encoder = load_encoder("audio", "logmel", device=CPU, precision="fp32", weights=WeightsPolicy())
    patches = np.random.default_rng(1).normal(size=(3, 96, 64)).astype(np.float32)
    expected = np.concatenate([patches.mean(1), patches.std(1)], axis=1)
    np.testing.assert_allclose(
        encoder.encode(torch.from_numpy(patches)).numpy(), expected, atol=1e-5
    )
    assert encoder.weights_sha256 == ""


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="vgish") as caught:
        load_encoder("audio", "vgish", device=CPU, precision="fp32", weights=WeightsPolicy())
    assert "'vggish'" in caught.value.hint


def test_vggish_offline_without_its_file_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("AVLOC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    policy = WeightsPolicy(tmp_path, offline=True)
    with pytest.raises(WeightsError, match="vggish-10086976") as caught:
        load_encoder("audio", "vggish", device=CPU, precision="fp32", weights=policy)
    for needed in (VGGISH_WEIGHTS.url, "10086976", str(tmp_path / "cache"), "--weights", "logmel"):
        assert needed in caught.value.hint
