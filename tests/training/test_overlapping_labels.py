"""Every model is trained on labels that overlap, and answers with them and with their senses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_up import SPEC, SPLITS, World, features_of

from avloc.artifacts import FeatureStore
from avloc.datasets import Dataset, Row
from avloc.evaluation.evaluator import evaluate
from avloc.labels import LabelSet
from avloc.models.registry import MODELS
from avloc.training import TrainingConfig
from avloc.training.fit import fit

TRAINED = sorted(name for name in MODELS if MODELS[name].is_trained)

LABELS = ("bell", "lamp", "siren")
SMALL = {
    "avel": {"width": 16, "attention_width": 16},
    "avsdn": {"width": 16, "attention_width": 16, "decoder_width": 32},
    "cam": {"width": 16},
    "cman": {"width": 32},
    "han": {"width": 32, "hidden_width": 32},
}
CONFIG = TrainingConfig(
    epochs=30, batch_size=8, learning_rate=5e-3, milestones=(20,), modality_dropout=0.4
)


def overlapping(root: Path) -> World:
    """Videos with a bell that is only heard, a lamp that is only seen, and a siren that is both."""
    draw = np.random.default_rng(0)
    patterns_v, patterns_a = draw.normal(size=(3, 12)), draw.normal(size=(3, 6))
    store, rows = FeatureStore.create(root / "features", SPEC), []
    for number in range(60):
        visual, audio = 0.2 * draw.normal(size=(8, 2, 2, 12)), 0.2 * draw.normal(size=(8, 6))
        for k, sense in enumerate(("heard", "seen", "both")):
            start = int(draw.integers(6))
            end = int(draw.integers(start + 2, 9))
            if sense != "heard":
                visual[start:end, draw.integers(2), draw.integers(2)] += 2 * patterns_v[k]
            if sense != "seen":
                audio[start:end] += patterns_a[k]
            video, split = f"video{number:03d}", SPLITS[number % 5]
            rows.append(Row(video, LABELS[k], start, end, split, sense=sense))
        store.write(features_of(video, visual, audio))
    labels = LabelSet(LABELS, kind="independent")
    return World(store, Dataset("overlapping", root, labels, tuple(rows), {}, is_row_alone=False))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return overlapping(tmp_path_factory.mktemp("overlapping"))


@pytest.mark.parametrize("name", TRAINED)
def test_it_learns_what_overlaps_and_which_sense_knows_it(world: World, name: str) -> None:
    assert set(SMALL) == set(TRAINED)
    file = fit(
        world.store, world.dataset, model=name, options=SMALL[name], config=CONFIG, device="cpu"
    )
    assert file.config["n_classes"] == 3
    predictions, _ = evaluate(file, world.store, world.dataset, "test", device="cpu")
    truth = predictions.truth
    assert predictions.scores.shape == truth.shape == (12, 8, 3)
    assert (truth.sum(axis=-1) == 3).any()
    right = (predictions.scores > 0.5) == truth
    assert right.mean() > 0.9
    assert right[truth.sum(axis=-1) > 1].mean() > 0.85
    bell, lamp, siren = range(3)
    for answers, heard_in, not_in in (
        (predictions.heard, (bell, siren), lamp),
        (predictions.seen, (lamp, siren), bell),
    ):
        for label in heard_in:
            there, away = truth[..., label], ~truth[..., label]
            assert answers[..., label][there].mean() > answers[..., label][away].mean() + 0.4
        assert answers[..., not_in].mean() < 0.35
