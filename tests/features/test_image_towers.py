"""Maps of image-text models, against the library's own model and a transcription of NACLIP."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_hub import PATCH, SIDE, WIDTH, save_clip, save_siglip, save_siglip2, transformers

from avloc.decoding.squash import resize_rule, squash
from avloc.devices import choose_device
from avloc.features.encoders import Encoder, load_encoder
from avloc.features.hub.image_towers import closeness
from avloc.features.preprocess import normalised
from avloc.features.weights import WeightsPolicy

GRID = SIDE // PATCH
SAVE = {"clip": save_clip, "siglip": save_siglip, "siglip2": save_siglip2}
CPU = choose_device("cpu")


@pytest.fixture(scope="module", params=sorted(SAVE))
def saved(request, tmp_path_factory):
    return request.param, SAVE[request.param](tmp_path_factory.mktemp("hub") / "tiny")


@pytest.fixture(scope="module")
def library(saved):
    return transformers.AutoModel.from_pretrained(saved[1]).eval()


@pytest.fixture(scope="module")
def encoder(saved) -> Encoder:
    return load_encoder(
        "visual", f"hf:{saved[1]}", device=CPU, precision="fp32", weights=WeightsPolicy()
    )


def frames_of(n):
    frames = np.random.default_rng(n).integers(0, 256, (n, SIDE, SIDE, 3), dtype=np.uint8)
    return torch.from_numpy(frames)


def library_inputs(kind, encoder, frames):
    """What the library's model takes of the same pixels."""
    pixels = encoder.prepare(frames)
    if kind != "siglip2":
        return {"pixel_values": pixels}
    patches = pixels.reshape(len(frames), 3, GRID, PATCH, GRID, PATCH).permute(0, 2, 4, 3, 5, 1)
    n = len(frames)
    return {
        "pixel_values": patches.reshape(n, GRID * GRID, -1),
        "pixel_attention_mask": torch.ones(n, GRID * GRID, dtype=torch.long),
        "spatial_shapes": torch.tensor([[GRID, GRID]] * n),
    }


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def naclip_tokens(model, tokens):
    """The last block as NACLIP's paper has it, with loops, in NumPy's double precision."""
    block, config = model.vision_model.encoder.layers[-1], model.vision_model.config
    n_heads, n_before = config.num_attention_heads, tokens.shape[0] - GRID * GRID

    def layer(x, name):
        part = block.get_submodule(name)
        return x @ part.weight.double().numpy().T + part.bias.double().numpy()

    norm = block.layer_norm1
    x = (tokens - tokens.mean(-1, keepdims=True)) / np.sqrt(
        tokens.var(-1, keepdims=True) + norm.eps
    ) * norm.weight.double().numpy() + norm.bias.double().numpy()
    keys, values = layer(x, "self_attn.k_proj"), layer(x, "self_attn.v_proj")
    width = keys.shape[1] // n_heads
    out = np.zeros_like(keys)
    for head in range(n_heads):
        part = slice(head * width, (head + 1) * width)
        for i in range(len(x)):
            scores = keys[:, part] @ keys[i, part] / np.sqrt(width)
            for j in range(len(x)):
                if i >= n_before and j >= n_before:
                    (yi, xi), (yj, xj) = divmod(i - n_before, GRID), divmod(j - n_before, GRID)
                    scores[j] += np.exp(-((yi - yj) ** 2 + (xi - xj) ** 2) / (2 * 5.0**2))
            weights = np.exp(scores - scores.max())
            out[i, part] = weights @ values[:, part] / weights.sum()
    return layer(out, "self_attn.out_proj")[n_before:]


def test_cells_are_naclips_but_for_a_shift_of_the_whole_map(saved, library, encoder):
    kind, _ = saved
    frames = frames_of(2)
    inputs = library_inputs(kind, encoder, frames)
    with torch.no_grad():
        seen = library.vision_model(**inputs, output_hidden_states=True)
        expected = []
        for tokens in seen.hidden_states[-2].double().numpy():
            cells = torch.from_numpy(naclip_tokens(library, tokens)).float()
            cells = library.vision_model.post_layernorm(cells)
            if kind == "clip":
                cells = library.visual_projection(cells)
            else:  # the head pools a picture of one patch
                cells = library.vision_model.head(cells[:, None])
            expected.append(unit(cells.numpy()).reshape(GRID, GRID, -1))
    maps = encoder.encode(frames).numpy()
    assert maps.shape == (2, *encoder.embedding)
    centred = [x - x.mean((-3, -2), keepdims=True) for x in (maps, np.array(expected))]
    assert centred[1].std() > 0.02  # its tokens differ
    np.testing.assert_allclose(*centred, atol=2e-5)


def test_the_mean_of_a_map_is_the_models_embedding_of_the_picture(saved, library, encoder):
    kind, _ = saved
    frames = frames_of(3)
    with torch.no_grad():
        inputs = library_inputs(kind, encoder, frames)
        expected = unit(library.get_image_features(**inputs).pooler_output.numpy())
    found = encoder.encode(frames).mean((1, 2)).numpy()
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert np.abs(expected[0] - expected[1]).max() > 0.01


def test_pixels_are_prepared_as_by_the_librarys_processor(saved, encoder):
    kind, folder = saved
    (frame,) = frames_of(1)
    own = transformers.AutoImageProcessor.from_pretrained(folder)
    options = {} if kind == "siglip2" else {"size": {"height": SIDE, "width": SIDE}}
    if kind == "clip":
        options["do_center_crop"] = False
    pixels = own(Image.fromarray(frame.numpy()), return_tensors="pt", **options)["pixel_values"]
    if kind == "siglip2":  # (1, n, side * side * 3)
        pixels = pixels.reshape(1, GRID, GRID, PATCH, PATCH, 3).permute(0, 5, 1, 3, 2, 4)
        pixels = pixels.reshape(1, 3, SIDE, SIDE)
    torch.testing.assert_close(encoder.prepare(frame[None]), pixels, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("number", "name"), [(2, "bilinear"), (3, "bicubic")])
def test_a_frame_is_resized_as_pillow_does(number, name):
    noise = np.random.default_rng(0).integers(0, 256, (90, 160, 3), dtype=np.uint8)
    smooth = np.array(Image.fromarray(noise).resize((400, 300), Image.Resampling.BICUBIC))
    expected = np.asarray(Image.fromarray(smooth).resize((64, 48), Image.Resampling(number)))
    rule = resize_rule(number)
    assert rule == resize_rule(name) == f"squash-{name}-antialias"
    found = squash(smooth, (48, 64), rule)
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert np.abs(squash(smooth, (48, 64)).astype(int) - expected).max() > 10  # the rule matters


def test_a_neighbour_is_close_and_a_token_before_the_patches_is_not():
    gaussian = closeness(3, 4, n_before=1)
    assert gaussian.shape == (13, 13)
    assert not gaussian[0].any()
    assert not gaussian[:, 0].any()
    assert gaussian[1, 1] == 1
    torch.testing.assert_close(gaussian[1, 12], torch.tensor(np.exp(-13 / 50), dtype=torch.float32))


def test_a_map_is_the_same_alone_and_in_a_batch(encoder):
    frames = frames_of(5)
    assert torch.equal(encoder.encode(frames)[3:4], encoder.encode(frames[3:4]))


@pytest.mark.parametrize("kind", ["clip"])
def test_onnx_gives_the_same_map(kind, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("AVLOC_CACHE", str(tmp_path / "cache"))
    name = f"hf:{SAVE[kind](tmp_path / 'tiny')}"
    found = [
        load_encoder(
            "visual",
            name,
            device=CPU,
            precision="fp32",
            weights=WeightsPolicy(),
            runtime=runtime,
        ).encode(frames_of(2))
        for runtime in ("eager", "onnx")
    ]
    assert found[0].shape[-1] == WIDTH
    torch.testing.assert_close(found[1], found[0], atol=1e-5, rtol=0)


def test_normalising_is_the_formula():
    frames = torch.tensor([[[[0, 128, 255]]]], dtype=torch.uint8)
    found = normalised(frames, 255.0, (0.1, 0.2, 0.3), (0.5, 0.25, 2.0))
    expected = torch.tensor([-0.2, (128 / 255 - 0.2) * 4, 0.35])
    torch.testing.assert_close(found.flatten(), expected)
