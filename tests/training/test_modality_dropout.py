"""Modality dropout: which window loses what, how often, and its effect on accuracy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from made_up import made_up, truth_of_classes

from avloc.datasets.batches import Batch
from avloc.evaluation.evaluator import evaluate
from avloc.training import TrainingConfig
from avloc.training.fit import fit
from avloc.training.loop import drop_modalities

SMALL = {"width": 16}


def full_batch(n: int) -> Batch:
    return Batch(
        torch.ones(n, 2, 1, 1, 3),
        torch.ones(n, 2, 4),
        truth_of_classes(torch.zeros(n, 2, dtype=torch.int64), 2),
        torch.ones(n, 2, dtype=torch.bool),
        torch.ones(n, 2, dtype=torch.bool),
    )


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_each_window_loses_at_most_one_modality_and_both_lose_as_often(share):
    torch.manual_seed(0)
    batch = full_batch(20_000)
    drop_modalities(batch, share, torch.rand(20_000))
    seen = batch.visual.flatten(1).all(dim=1).numpy()
    heard = batch.audio.flatten(1).all(dim=1).numpy()
    assert (seen | heard).all()
    # five standard deviations of a binomial
    tolerance = 5 * np.sqrt(share / 2 * (1 - share / 2) / 20_000)
    assert abs((~seen).mean() - share / 2) <= tolerance
    assert abs((~heard).mean() - share / 2) <= tolerance
    assert torch.equal(batch.visual_valid.all(dim=1), torch.from_numpy(seen))
    assert torch.equal(batch.audio_valid.all(dim=1), torch.from_numpy(heard))


@pytest.mark.slow
def test_with_it_one_half_alone_is_worth_more(tmp_path):
    world = made_up(tmp_path, n_videos=60, noise=0.6)
    halves = {}
    for share in (0.0, 0.5):
        config = TrainingConfig(
            epochs=25, batch_size=8, learning_rate=5e-3, modality_dropout=share, patience=0
        )
        model = fit(world.store, world.dataset, options=SMALL, config=config, device="cpu")
        halves[share] = [
            evaluate(model, world.store, world.dataset, "test", without=gone, device="cpu")[1]
            for gone in ("audio", "visual")
        ]
    before, after = (sum(e.segment_accuracy for e in halves[share]) for share in (0.0, 0.5))
    assert after > before + 0.1


def test_a_model_of_one_modality_is_never_made_deaf_or_blind(tmp_path):
    world = made_up(tmp_path)
    options = {**SMALL, "modalities": "audio", "where": False, "which": False}
    weights = [
        fit(
            world.store,
            world.dataset,
            options=options,
            config=TrainingConfig(epochs=2, batch_size=8, modality_dropout=share),
            device="cpu",
        ).weights
        for share in (0.0, 1.0)
    ]
    assert all(np.array_equal(array, weights[1][name]) for name, array in weights[0].items())
