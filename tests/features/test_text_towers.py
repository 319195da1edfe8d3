"""Heads of labels, against what the library's own model says of the same sentences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tiny_hub import SIDE, save_clap, save_clip, save_siglip, save_siglip2, save_timm, transformers

from avloc.devices import choose_device
from avloc.errors import UsageError, WeightsError
from avloc.features.encoders import load_encoder
from avloc.features.hub.text_towers import TEMPLATES, text_head
from avloc.features.weights import WeightsPolicy

POLICY = WeightsPolicy()
SAVE = {"clap": save_clap, "clip": save_clip, "siglip": save_siglip, "siglip2": save_siglip2}
LABELS = ("Dog barking", "siren")


@pytest.fixture(scope="module", params=sorted(SAVE))
def saved(request, tmp_path_factory):
    return request.param, SAVE[request.param](tmp_path_factory.mktemp("hub") / "tiny")


def test_a_row_is_the_mean_of_the_sentences_by_the_librarys_model(saved):
    kind, folder = saved
    head = text_head(f"hf:{folder}", LABELS)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    sense = "audio" if kind == "clap" else "visual"
    rows = []
    for label in LABELS:
        vectors = []
        for template in TEMPLATES[sense]:
            words = template.format(label)
            if kind.startswith("siglip"):  # as its authors trained it
                ids = tokenizer(words.lower())["input_ids"]
                ids += [tokenizer.pad_token_id] * (32 - len(ids))
            else:
                ids = tokenizer(words)["input_ids"]
            with torch.no_grad():
                vector = model.get_text_features(torch.tensor([ids])).pooler_output[0].numpy()
            vectors.append(vector / np.linalg.norm(vector))
        mean = np.mean(vectors, axis=0)
        rows.append(mean / np.linalg.norm(mean))
    np.testing.assert_allclose(head.weight.numpy(), rows, atol=1e-5)
    assert np.abs(rows[0] - rows[1]).max() > 0.01
    assert (head.labels, head.sense) == (LABELS, sense)
    own_scale = model.logit_scale_a if kind == "clap" else model.logit_scale
    assert math.isclose(head.scale, own_scale.exp().item(), rel_tol=1e-6)
    own_bias = model.logit_bias.item() if kind.startswith("siglip") else 0.0
    assert head.bias == own_bias


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_the_mean_of_a_maps_logits_is_what_the_model_itself_says(kind, tmp_path):
    folder = SAVE[kind](tmp_path / "tiny")
    encoder = load_encoder(
        "visual", f"hf:{folder}", device=choose_device("cpu"), precision="fp32", weights=POLICY
    )
    frames = np.random.default_rng(3).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    frames = torch.from_numpy(frames)
    head = text_head(f"hf:{folder}", LABELS, templates=["a photo of {}."])
    found = head(encoder.encode(frames)).mean((1, 2))
    model = transformers.AutoModel.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    words = [f"a photo of {label}.".lower() if kind == "siglip" else f"a photo of {label}."
             for label in LABELS]  # fmt: skip
    padding = {"padding": "max_length", "max_length": 32} if kind == "siglip" else {"padding": True}
    tokens = tokenizer(words, return_tensors="pt", **padding)
    if kind == "siglip":
        del tokens["attention_mask"]
    tokens.pop("token_type_ids", None)
    with torch.no_grad():
        logits = model(pixel_values=encoder.prepare(frames), **tokens).logits_per_image
    torch.testing.assert_close(found, logits, atol=1e-3, rtol=1e-4)


def test_many_labels_are_each_as_alone(tmp_path):
    name = f"hf:{save_clip(tmp_path / 'tiny')}"
    many = [f"dog {'barking ' * (k % 7)}" for k in range(90)]
    rows = text_head(name, many).weight
    for k in (0, 33, 89):
        torch.testing.assert_close(rows[k : k + 1], text_head(name, [many[k]]).weight)


@pytest.mark.parametrize(
    ("labels", "options", "word"),
    [
        ([], {}, "no label"),
        (["dog", "  "], {}, "empty"),
        (["dog"], {"templates": ["a photo"]}, "no place"),
    ],
)
def test_labels_that_cannot_be(labels, options, word, tmp_path):
    with pytest.raises(UsageError, match=word):
        text_head(f"hf:{tmp_path}", labels, **options)


def test_a_network_of_timm_knows_no_text(tmp_path):
    with pytest.raises(UsageError, match="not trained with texts"):
        text_head(f"timm:{save_timm(tmp_path / 'tiny')}", ["dog"])


def test_a_model_without_its_tokenizer_says_so(tmp_path):
    folder = save_clip(tmp_path / "tiny")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(WeightsError, match="tokenizer"):
        text_head(f"hf:{folder}", ["dog"])
