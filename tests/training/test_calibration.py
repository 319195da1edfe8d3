"""Scores that mean what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from made_up import made_up

from avloc.artifacts import read_model, write_model
from avloc.datasets.batches import Feed
from avloc.datasets.examples import IGNORED, load_examples
from avloc.evaluation.evaluator import evaluate
from avloc.evaluation.metrics import calibration_error
from avloc.models import build
from avloc.training import TrainingConfig
from avloc.training.calibration import fit_temperature
from avloc.training.fit import fit


def test_the_error_by_hand():
    """Four segments at 0.8, three of them right; two at 0.6, none right; one not scored."""
    sure = np.array([0.8] * 4 + [0.6] * 2 + [0.9])
    scores = np.stack([sure, 1 - sure], axis=-1)[None]
    targets = np.array([[0, 0, 0, 1, 1, 1, IGNORED]])
    assert calibration_error(scores, targets) == pytest.approx(
        (4 * (0.8 - 0.75) + 2 * (0.6 - 0.0)) / 6
    )
    assert calibration_error(scores, np.full((1, 7), IGNORED)) is None


class SoundAsLogits(torch.nn.Module):
    """A model whose logits are its sound."""

    def forward(self, visual, audio):
        return type("Output", (), {"logits": audio})


@pytest.mark.parametrize("too_sure", [0.25, 1.0, 4.0])
def test_the_temperature_undoes_what_was_too_sure(tmp_path, too_sure):
    """Targets are drawn by the softmax of z; the model says z times something."""
    world = made_up(
        tmp_path, n_videos=40, splits=("val",), channels=(2, 3), lengths=(100,), n_segments=None
    )
    examples = load_examples(world.store, world.dataset, "val")
    draw = np.random.default_rng(0)
    videos, entries = [], []
    for video, entry in zip(examples.videos, examples.entries, strict=True):
        z = draw.normal(scale=2, size=(100, 3))
        p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        entries.append(replace(entry, targets=np.array([draw.choice(3, p=row) for row in p])))
        videos.append(replace(video, audio=(z * too_sure).astype(np.float32)))
    drawn = replace(examples, videos=tuple(videos), entries=tuple(entries))
    found = fit_temperature(SoundAsLogits(), Feed(drawn, torch.device("cpu")), 7)
    assert found == pytest.approx(too_sure, rel=0.1)


def test_a_trained_model_carries_its_temperature_to_its_scores(tmp_path):
    world = made_up(tmp_path / "w", noise=1.5, n_videos=40)
    config = TrainingConfig(epochs=12, batch_size=4, learning_rate=1e-2, milestones=())
    model = fit(world.store, world.dataset, options={"width": 16}, config=config, device="cpu")
    write_model(tmp_path / "m.h5", model)
    kept = read_model(tmp_path / "m.h5")
    assert kept.temperature == model.temperature != 1.0
    plain, _ = evaluate(replace(kept, temperature=1.0), world.store, world.dataset, "val")
    calibrated, evaluation = evaluate(kept, world.store, world.dataset, "val")
    before, after = plain.class_scores, calibrated.class_scores
    assert (before.argmax(-1) == after.argmax(-1)).all()
    again = before.astype(np.float64) ** (1 / kept.temperature)
    np.testing.assert_allclose(after, again / again.sum(-1, keepdims=True), atol=1e-5)

    def likelihood(scores):
        truth = np.take_along_axis(scores, calibrated.targets[..., None], -1)
        return np.log(truth).mean()

    assert likelihood(after) > likelihood(before)
    assert evaluation.calibration_error < calibration_error(before, plain.targets)


def test_a_new_model_divides_by_one():
    model = build("cman", visual_channels=4, audio_channels=4, n_classes=3, width=8)
    logits = torch.randn(2, 3, 3)
    assert torch.equal(model.probabilities(logits), logits.softmax(-1))
    model.temperature = 2.0
    torch.testing.assert_close(model.probabilities(logits), (logits / 2).softmax(-1))
