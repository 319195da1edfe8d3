"""Every model with labels that may overlap: it learns them, and no label stands for background."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from avloc.models import build
from avloc.models.registry import MODELS

TRAINED = sorted(name for name in MODELS if MODELS[name].is_trained)

SIZES = {"visual_channels": 8, "audio_channels": 6, "width": 16}
SMALL = {"avel": {"attention_width": 16}, "avsdn": {"attention_width": 16}}
INDEPENDENT = {"n_classes": 3, "independent": True}
HEARD = torch.tensor([0, 1, 1, 1, 0, 0, 1, 1]).bool()
SEEN = torch.tensor([0, 0, 1, 1, 1, 0, 0, 1]).bool()


def clips(n: int = 12, seed: int = 0):
    """Clips of a bell that is only heard and a lamp that is only seen, at times that overlap.

    The third label never occurs. Sound is in two audio channels, light in one region.
    """
    draw = torch.Generator().manual_seed(seed)
    shifts = torch.randint(8, (2, n), generator=draw)
    heard = torch.stack([HEARD.roll(int(s)) for s in shifts[0]])
    seen = torch.stack([SEEN.roll(int(s)) for s in shifts[1]])
    visual = 0.3 * torch.randn(n, 8, 3, 3, 8, generator=draw)
    audio = 0.3 * torch.randn(n, 8, 6, generator=draw)
    visual[:, :, 1, 2, :4] += 3 * seen.unsqueeze(-1)
    audio[:, :, :2] += 2 * heard.unsqueeze(-1)
    return visual, audio, torch.stack([heard, seen, torch.zeros_like(heard)], dim=-1)


def trained(name: str):
    torch.manual_seed(0)
    model = build(name, **SIZES, **INDEPENDENT, **SMALL.get(name, {}))
    visual, audio, events = clips()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(80):
        logits = model(visual, audio).logits
        optimizer.zero_grad()
        binary_cross_entropy_with_logits(logits, events.float()).backward()
        optimizer.step()
    return model.eval()


@pytest.fixture(scope="module", params=TRAINED)
def model(request: pytest.FixtureRequest):
    return trained(request.param)


def test_it_learns_two_labels_that_overlap(model):
    visual, audio, events = clips()
    assert (events.sum(-1) == 2).any()
    assert (events.sum(-1) == 0).any()
    scores = model.probabilities(model(visual, audio).logits)
    assert scores.shape == events.shape
    assert ((scores > 0.5) == events).float().mean() > 0.99
    assert scores[..., 2].max() < 0.5


def test_it_knows_them_in_clips_that_it_has_not_met(model):
    visual, audio, events = clips(40, seed=1)
    scores = model.probabilities(model(visual, audio).logits)
    right = ((scores > 0.5) == events).float().mean()
    constant = (~events).float().mean()
    assert right > constant + 0.15


def test_scores_of_independent_labels_do_not_share_a_sum(model):
    visual, audio, events = clips()
    sums = model.probabilities(model(visual, audio).logits).sum(-1)
    assert sums[events.sum(-1) == 2].mean() > 1.8
    assert sums[events.sum(-1) == 0].mean() < 0.2


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize(
    ("labels", "n_labels"), [({"n_classes": 1, "independent": True}, 1), ({"n_classes": 2}, 1)]
)
def test_a_single_label_of_either_kind(name, labels, n_labels):
    torch.manual_seed(0)
    model = build(name, **SIZES, **labels).eval()
    visual, audio, _ = clips(2)
    output = model(visual, audio)
    assert output.logits.shape == (2, 8, labels["n_classes"])
    scores = model.probabilities(output.logits)
    assert scores.shape == (2, 8, n_labels)
    assert 0 < scores.min() <= scores.max() < 1


def test_the_map_of_cam_is_that_of_the_last_label_too():
    """The last of independent labels is a label; the last of exclusive ones is background."""
    torch.manual_seed(0)
    visual, audio, _ = clips(2)
    maps = {}
    for kind in (True, False):
        model = build("cam", **SIZES, n_classes=3, independent=kind).eval()
        last = model.head[-1]
        with torch.no_grad():
            last.weight[:2], last.bias[:2] = 0, -50.0
            last.bias[2] = 50.0
        maps[kind] = model(visual, audio).attention
    flat = torch.full_like(maps[False], 1 / 9)
    torch.testing.assert_close(maps[False], flat)
    assert not torch.allclose(maps[True], flat, atol=1e-3)
