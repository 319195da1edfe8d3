"""Maps replaced by their means, for the models that need nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from made_up import made_up

from avloc.datasets.examples import load_examples
from avloc.datasets.pooled import pooled
from avloc.models import build, list_models, model_class
from avloc.training import TrainingConfig, TrainingData, load_splits
from avloc.training.fit import fit

OPTIONS = {"where": False, "width": 8}


def variants():
    for name in list_models():
        if model_class(name).is_trained:
            yield name, {}
            if hasattr(model_class(name).Config, "where"):
                yield name, {"where": False}
    yield "cman", {"modalities": "audio", "where": False, "which": False}


@pytest.mark.parametrize(("name", "options"), list(variants()))
def test_a_model_that_says_so_answers_the_same_to_means(name, options):
    torch.manual_seed(0)
    sizes = {"visual_channels": 8, "audio_channels": 6, "n_classes": 5}
    model = build(name, **sizes, **options).eval()
    visual, audio = torch.rand(2, 5, 3, 4, 8), torch.rand(2, 5, 6)
    means = torch.from_numpy(visual.numpy().astype(np.float64).mean((2, 3), keepdims=True)).float()
    with torch.inference_mode():
        whole, of_means = model(visual, audio).logits, model(means, audio).logits
    is_same = torch.allclose(whole, of_means, atol=1e-6)
    assert is_same == model.uses_mean_picture


def test_means_are_those_of_the_maps(tmp_path):
    world = made_up(tmp_path, lengths=(20, 3), n_videos=10, n_segments=None)
    blind = world.store.read("video000")
    world.store.write(replace(blind, visual=None, visual_valid=~blind.visual_valid))
    examples = load_examples(world.store, world.dataset, "train")
    result = pooled(examples)
    assert result.visual_shape == (1, 1, 12)
    assert result.videos[0].visual is None
    for before, after in zip(examples.videos[1:], result.videos[1:], strict=True):
        exact = np.asarray(before.visual).astype(np.float64).mean((1, 2), keepdims=True)
        np.testing.assert_allclose(after.visual, exact, rtol=1e-6, atol=1e-7)


def test_training_on_means_is_training_on_maps_up_to_rounding(tmp_path, monkeypatch):
    world = made_up(tmp_path)
    config = TrainingConfig(epochs=3, batch_size=4)
    data = load_splits(world.store, world.dataset, config)
    one, other = (
        fit(world.store, world.dataset, options=OPTIONS, config=config, device="cpu", data=data)
        for _ in range(2)
    )
    assert data.pooled() is data.pooled()  # for all models
    monkeypatch.setattr(TrainingData, "pooled", lambda self, progress: self)
    whole = fit(world.store, world.dataset, options=OPTIONS, config=config, device="cpu")
    for name, tensor in whole.weights.items():
        np.testing.assert_array_equal(one.weights[name], other.weights[name])
        np.testing.assert_allclose(one.weights[name], tensor, atol=1e-5)
