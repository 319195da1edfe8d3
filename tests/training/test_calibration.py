"""Scores that mean what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from made_up import made_up
from sklearn.metrics import f1_score

from avloc.artifacts import read_model, write_model
from avloc.datasets.examples import Examples, load_examples
from avloc.datasets.feed import Feed
from avloc.datasets.targets import Targets
from avloc.evaluation.evaluator import evaluate
from avloc.evaluation.metrics import calibration_error
from avloc.labels import IGNORED, LabelSet
from avloc.models import Model, ModelOutput, build
from avloc.models.model import ModelOptions
from avloc.training import TrainingConfig
from avloc.training.calibration import ENOUGH, calibrate, fit_thresholds
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


class SoundAsLogits(Model):
    """A model whose logits are its sound."""

    def forward(self, visual, audio):
        return ModelOutput(audio)


def world_of_logits(tmp_path, kind: str, too_sure: float) -> Examples:
    """Draw targets by the probabilities of z; the sound says z times something."""
    world = made_up(
        tmp_path, n_videos=40, splits=("val",), channels=(2, 3), lengths=(100,), n_segments=None
    )
    examples = load_examples(world.store, world.dataset, "val")
    draw = np.random.default_rng(0)
    videos, entries = [], []
    for video, entry in zip(examples.videos, examples.entries, strict=True):
        z = draw.normal(scale=2, size=(100, 3))
        if kind == "exclusive":
            p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
            events = np.eye(3, dtype=bool)[[draw.choice(3, p=row) for row in p]][:, :-1]
        else:
            events = draw.random(z.shape) < 1 / (1 + np.exp(-z))
        truth = Targets(events, events, events, entry.targets.scored)
        entries.append(replace(entry, targets=truth, present=events.any(axis=0)))
        videos.append(replace(video, audio=(z * too_sure).astype(np.float32)))
    return replace(examples, videos=tuple(videos), entries=tuple(entries))


@pytest.mark.parametrize("too_sure", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("kind", ["exclusive", "independent"])
def test_the_temperature_undoes_what_was_too_sure(tmp_path, kind, too_sure):
    labels = LabelSet(("a", "b") if kind == "exclusive" else ("a", "b", "c"), kind=kind)
    options = {"n_classes": labels.n_logits, "independent": not labels.is_exclusive}
    model = SoundAsLogits(ModelOptions(visual_channels=2, audio_channels=3, **options))
    model.register_parameter("unused", torch.nn.Parameter(torch.zeros(1)))  # it says the device
    feed = Feed(world_of_logits(tmp_path, kind, too_sure), torch.device("cpu"))
    fitted = calibrate(model, feed, 7, labels)
    np.testing.assert_allclose(fitted.temperatures, too_sure, rtol=0.1)
    assert fitted.thresholds.shape == (labels.n_labels,)


def test_a_threshold_has_the_greatest_f1_of_its_label():
    """Against every threshold tried by hand with another library's F1."""
    draw = np.random.default_rng(1)
    targets = draw.random((400, 2)) < [0.5, 0.2]
    scores = np.clip(targets * 0.3 + draw.random((400, 2)) * 0.6, 0, 1)
    fitted = fit_thresholds(scores, targets, LabelSet(("a", "b"), kind="independent"))
    for label, threshold in enumerate(fitted):
        reached = f1_score(targets[:, label], scores[:, label] >= threshold)
        tried = [
            f1_score(targets[:, label], scores[:, label] >= t) for t in np.linspace(0.25, 0.75, 41)
        ]
        assert reached == pytest.approx(max(tried))


def test_labels_with_few_examples_share_a_threshold():
    targets = np.zeros((100, 2), bool)
    targets[:50, 0], targets[: ENOUGH - 1, 1] = True, True
    scores = np.stack([np.where(targets[:, 0], 0.6, 0.3), np.full(100, 0.1)], axis=1)
    own, shared = fit_thresholds(scores, targets, LabelSet(("a", "b"), kind="independent"))
    assert own == shared == pytest.approx(0.5)


def test_a_trained_model_carries_its_temperature_to_its_scores(tmp_path):
    world = made_up(tmp_path / "w", noise=1.5, n_videos=40)
    config = TrainingConfig(epochs=12, batch_size=4, learning_rate=1e-2, milestones=())
    model = fit(world.store, world.dataset, options={"width": 16}, config=config, device="cpu")
    write_model(tmp_path / "m.h5", model)
    kept = read_model(tmp_path / "m.h5")
    assert kept.temperatures == model.temperatures != (1.0,)
    plain, _ = evaluate(replace(kept, temperatures=(1.0,)), world.store, world.dataset, "val")
    calibrated, evaluation = evaluate(kept, world.store, world.dataset, "val")
    before, after = plain.class_scores, calibrated.class_scores
    assert (before.argmax(-1) == after.argmax(-1)).all()
    again = before.astype(np.float64) ** (1 / kept.temperatures[0])
    np.testing.assert_allclose(after, again / again.sum(-1, keepdims=True), atol=1e-5)

    def likelihood(scores):
        truth = np.take_along_axis(scores, calibrated.targets[..., None], -1)
        return np.log(truth).mean()

    assert likelihood(after) > likelihood(before)
    assert evaluation.calibration_error < calibration_error(before, plain.targets)


def test_a_new_model_divides_by_one():
    model = build("cman", visual_channels=4, audio_channels=4, n_classes=3, width=8)
    logits = torch.randn(2, 3, 3)
    assert torch.equal(model.probabilities(logits), logits.softmax(-1)[..., :-1])
    model.temperature = 2.0
    torch.testing.assert_close(model.probabilities(logits), (logits / 2).softmax(-1)[..., :-1])
