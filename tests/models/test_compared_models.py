"""AVEL, AVSDN and CAM: what each must do whatever its weights are, and AVEL's equations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cman_in_numpy import softmax
from torch.nn.functional import cross_entropy

from avloc.errors import UnknownNameError, UsageError
from avloc.models import Model, build, list_models, model_class
from avloc.models.avel import AVEL, AdditiveAttention, DualResidualFusion
from avloc.models.cam import CAM
from avloc.models.scaling import Scaling

SIZES = {"visual_channels": 8, "audio_channels": 6, "n_classes": 5, "width": 8}
VARIANTS = {
    "avel": ("avel", {}),
    "avel without attention": ("avel", {"where": False}),
    "avel with dmrn": ("avel", {"fusion": "dmrn"}),
    "avsdn": ("avsdn", {"decoder_width": 12}),
    "avsdn without attention": ("avsdn", {"where": False}),
    "cam": ("cam", {}),
}


def made(variant: str, seed: int = 0) -> Model:
    name, options = VARIANTS[variant]
    torch.manual_seed(seed)
    model = build(name, **SIZES, **options).eval()
    model.scale_visual.fit(torch.linspace(-1, 1, 8), torch.linspace(0.5, 2, 8))
    return model


def features(batch: int = 3, n_segments: int = 7, side: int = 4, seed: int = 0):
    draw = torch.Generator().manual_seed(seed)
    visual = torch.randn(batch, n_segments, side, side, 8, generator=draw)
    return visual, torch.randn(batch, n_segments, 6, generator=draw)


def test_all_models_of_table_2_are_registered():
    assert {"avel", "avsdn", "cam", "cman"} < set(list_models())


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("n_segments", [1, 10, 60])
def test_shapes_at_any_length(variant, n_segments):
    output = made(variant)(*features(2, n_segments))
    assert output.logits.shape == (2, n_segments, 5)
    if "without" in variant:
        assert output.attention is None
    else:
        assert output.attention.shape == (2, n_segments, 4, 4)
        sums = output.attention.flatten(2).sum(-1)
        torch.testing.assert_close(sums, torch.ones_like(sums))


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_reach_every_parameter(variant):
    model = made(variant).train()
    logits = model(*features()).logits
    cross_entropy(logits.flatten(0, 1), torch.arange(21) % 5).backward()
    blind = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert blind == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_overfits_eight_clips(variant):
    model = made(variant).train()
    visual, audio = features(8, 10, 3, seed=5)
    targets = torch.randint(5, (8, 10), generator=torch.Generator().manual_seed(5))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(200):
        loss = cross_entropy(model(visual, audio).logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    right = model.eval()(visual, audio).logits.argmax(-1) == targets
    assert right.float().mean() > 0.99


@pytest.mark.parametrize("variant", VARIANTS)
def test_permuted_regions_permute_the_attention_and_nothing_else(variant):
    model, (visual, audio) = made(variant).double(), (x.double() for x in features())
    order = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    shuffled = visual.flatten(2, 3)[:, :, order].unflatten(2, (4, 4))
    before, after = model(visual, audio), model(shuffled, audio)
    torch.testing.assert_close(after.logits, before.logits)
    if before.attention is not None:
        expected = before.attention.flatten(2)[..., order]
        torch.testing.assert_close(after.attention.flatten(2), expected)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_clip_alone_and_in_a_batch_gives_the_same(variant):
    model, (visual, audio) = made(variant), features(5)
    together = model(visual, audio)
    for b in range(5):
        alone = model(visual[b : b + 1], audio[b : b + 1])
        torch.testing.assert_close(alone.logits[0], together.logits[b], atol=1e-5, rtol=1e-5)
        if together.attention is not None:
            torch.testing.assert_close(alone.attention[0], together.attention[b])


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_answer_depends_on_both_senses_and_the_whole_clip(variant):
    model, (visual, audio) = made(variant), features()
    before = model(visual, audio).logits[:, 0]
    for place in (0, 6):
        louder, brighter = audio.clone(), visual.clone()
        louder[:, place] += 5
        brighter[:, place] += 5
        assert not torch.allclose(model(visual, louder).logits[:, 0], before)
        assert not torch.allclose(model(brighter, audio).logits[:, 0], before)


def test_avels_attention_follows_its_equation():
    torch.manual_seed(0)
    module, scaling = AdditiveAttention(8, 6, 7, 5).double(), Scaling(8).double()
    scaling.fit(torch.linspace(-1, 1, 8), torch.linspace(0.5, 2, 8))
    visual, audio = features(1, 2, 3)
    got = module(visual.double().flatten(2, 3), audio.double(), scaling)[0].detach().numpy()
    w = {name: p.detach().numpy() for name, p in module.named_parameters()}
    for t in range(2):
        a = np.maximum(0, w["audio.weight"] @ audio[0, t].double().numpy() + w["audio.bias"])
        z = []
        for region in visual[0, t].double().flatten(0, 1).numpy():
            scaled = (region - scaling.mean.numpy()) / scaling.scale.numpy()
            v = np.maximum(0, w["visual.weight"] @ scaled + w["visual.bias"])
            both = np.tanh(w["from_visual.weight"] @ v + w["from_audio.weight"] @ a)
            z.append(w["score.weight"][0] @ both)
        np.testing.assert_allclose(got[t], softmax(np.array(z)), atol=1e-12)


def test_dmrn_follows_its_equation():
    torch.manual_seed(0)
    module = DualResidualFusion(4).double()
    seen, heard = torch.randn(1, 1, 4).double(), torch.randn(1, 1, 4).double()
    w = {name: p.detach().numpy() for name, p in module.named_parameters()}
    h_v, h_a = seen[0, 0].numpy(), heard[0, 0].numpy()
    f = (
        w["visual.weight"] @ h_v + w["visual.bias"] + w["audio.weight"] @ h_a + w["audio.bias"]
    ) / 2
    expected = (np.tanh(h_v + f) + np.tanh(h_a + f)) / 2
    np.testing.assert_allclose(module(seen, heard)[0, 0].detach(), expected, atol=1e-12)


def test_avels_sizes_are_its_authors():
    """U to 512, W to 49, LSTMs of 128 a direction, 512 joined, 64, C."""
    model = build("avel", visual_channels=512, audio_channels=128, n_classes=29)
    assert isinstance(model, AVEL)
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    assert shapes["where.visual.weight"] == (512, 512)
    assert shapes["where.from_audio.weight"] == (49, 512)
    assert shapes["streams.visual.weight_ih_l0_reverse"] == (4 * 128, 512)
    assert shapes["head.1.weight"] == (64, 512)
    assert shapes["head.3.weight"] == (29, 64)


def linear_in_the_picture(model: CAM) -> torch.Tensor:
    """Make a CAM's logits linear in the pooled picture, and return the classes' weights."""
    weights = torch.randn(5, 8, generator=torch.Generator().manual_seed(2))

    def score(picture: torch.Tensor, audio: torch.Tensor, real: None = None) -> torch.Tensor:
        return picture @ weights.T + audio.sum(-1, keepdim=True)

    model._score = model._score_alone = score
    return weights


def test_cam_is_the_class_activation_map_where_the_answer_is_linear():
    """Zhou et al., CVPR 2016: the class's weights on the map, which here are known."""
    model = made("cam")
    weights = linear_in_the_picture(model)
    visual, audio = features()
    output = model(visual, audio)
    scaled = (visual - model.scale_visual.mean) / model.scale_visual.scale
    strongest = output.logits[..., :-1].argmax(-1)
    expected = torch.einsum("bthwd,btd->bthw", scaled, weights[strongest]).relu()
    expected = expected / expected.sum(dim=(2, 3), keepdim=True)
    torch.testing.assert_close(output.attention, expected, atol=1e-5, rtol=1e-4)


def test_cams_map_is_of_its_own_segment():
    """A backward pass for each segment through the whole network, keeping its own picture's."""
    model = made("cam", seed=3)
    visual, audio = features(2, 6)
    pooled = model.scale_visual(visual.mean(dim=(2, 3))).requires_grad_()
    strongest = model._score(pooled, model.scale_audio(audio))[..., :-1].max(dim=-1).values
    own = torch.stack(
        [
            torch.autograd.grad(strongest[:, t].sum(), pooled, retain_graph=True)[0][:, t]
            for t in range(6)
        ],
        dim=1,
    )
    scaled = (visual - model.scale_visual.mean) / model.scale_visual.scale
    expected = torch.einsum("bthwd,btd->bthw", scaled, own).relu() + 1e-12
    expected = expected / expected.sum(dim=(2, 3), keepdim=True)
    torch.testing.assert_close(model(visual, audio).attention, expected, atol=1e-5, rtol=1e-3)


def test_cam_has_its_map_in_inference_and_none_while_it_trains():
    model = made("cam").requires_grad_(False)
    with torch.inference_mode():
        assert model(*features()).attention.shape == (3, 7, 4, 4)
    assert model.train()(*features()).attention is None


@pytest.mark.parametrize("name", ["avel", "avsdn", "cam"])
def test_options_are_checked_and_explained(name):
    with pytest.raises(UsageError, match="width"):
        build(name, **SIZES | {"width": 0})
    with pytest.raises(UnknownNameError):
        build(name, **SIZES, when=False)
    assert all(f.metadata["help"] for f in model_class(name).Config.__dataclass_fields__.values())
