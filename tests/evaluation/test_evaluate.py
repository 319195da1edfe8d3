"""A model on a split."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from made_up import SPEC, features_of, made_up, predictions_of

from avloc.artifacts import ModelFile
from avloc.datasets import Row
from avloc.errors import DatasetError, FingerprintError, UnknownNameError
from avloc.evaluation.evaluator import evaluate
from avloc.evaluation.measure import measure
from avloc.inference import infer
from avloc.labels import LabelSet
from avloc.models import build, restore, state_arrays

LABELS = LabelSet(("bell", "bark"))


def untrained(labels: LabelSet = LABELS, **changes) -> ModelFile:
    torch.manual_seed(0)
    model = build(
        "cman", visual_channels=12, audio_channels=6, n_classes=labels.n_classes, width=16
    )
    file = ModelFile(
        name="cman",
        config=model.config,
        weights=state_arrays(model),
        labels=labels,
        spec=SPEC,
        supervision="full",
        n_segments=10,
        segment_seconds=1.0,
        metrics={},
        seed=0,
        data={},
    )
    return replace(file, **changes)


def test_predictions_are_the_models_own_answers(tmp_path, monkeypatch):
    monkeypatch.setattr("avloc.evaluation.evaluator._BATCH", 3)
    world, model = made_up(tmp_path, n_videos=8, splits=("test",)), untrained()
    predictions, evaluation = evaluate(model, world.store, world.dataset)
    network = restore(model)
    for r, row in enumerate(world.dataset.rows):
        features = world.store.read(row.video_id)
        visual = torch.from_numpy(features.visual).float()[None]
        output = network(visual, torch.from_numpy(features.audio)[None])
        expected = output.logits.softmax(-1)[0].numpy()
        np.testing.assert_allclose(predictions.class_scores[r], expected, atol=1e-5)
        np.testing.assert_allclose(predictions.attention[r], output.attention[0], atol=1e-5)
        np.testing.assert_allclose(predictions.gate_audio[r], output.gate_audio[0], atol=1e-5)
        assert predictions.video_ids[r] == row.video_id
    right = predictions.class_scores.argmax(-1) == predictions.targets
    assert evaluation.segment_accuracy == pytest.approx(right.mean())
    assert (evaluation.n_rows, evaluation.n_videos, evaluation.n_segments) == (8, 8, 80)
    json.dumps(evaluation.to_dict(), allow_nan=False)


def test_a_long_video_is_one_row_and_seen_in_windows(tmp_path):
    world = made_up(tmp_path, n_videos=4, lengths=(23, 4), splits=("test",), n_segments=None)
    model = untrained()
    predictions, evaluation = evaluate(model, world.store, world.dataset)
    assert predictions.scores.shape == (4, 23, 2)
    assert evaluation.n_segments == 2 * 23 + 2 * 4
    assert predictions.rows.tolist() == [0, 1, 2, 3]
    sums = predictions.class_scores.sum(-1)
    np.testing.assert_allclose(sums[predictions.targets != -1], 1, atol=1e-5)
    network = restore(model)
    for r, video_id in enumerate(predictions.video_ids):
        features = world.store.read(video_id)
        visual, audio = (torch.from_numpy(x)[None] for x in (features.visual, features.audio))
        expected = infer(network, visual, audio, model.n_segments)["scores"][0]
        scores = predictions.scores[r, : len(expected)]
        np.testing.assert_allclose(scores, expected, atol=1e-6)
        assert (predictions.targets[r, len(expected) :] == -1).all()


def test_an_event_over_the_edge_of_a_window_is_one_event(tmp_path):
    """Windows of ten cut it in two when each was measured by itself."""
    world = made_up(tmp_path, n_videos=1, lengths=(16,), splits=("test",), n_segments=None)
    row = Row("video000", "bell", 7, 13, "test")
    dataset = replace(world.dataset, rows=(row,))
    predictions, _ = evaluate(untrained(), world.store, dataset)
    scores = np.full_like(predictions.scores, 0.1)
    scores[0, 9:13] = (0.8, 0.1)  # bell: four of its six segments
    assert measure(replace(predictions, scores=scores)).event_f1 == 1.0


def test_features_of_another_kind_are_refused_naming_both(tmp_path):
    world = made_up(tmp_path, n_videos=2, splits=("test",))
    model = untrained(spec=replace(SPEC, visual="resnet152"))
    with pytest.raises(FingerprintError) as caught:
        evaluate(model, world.store, world.dataset)
    for part in (SPEC.fingerprint, "made-up", model.fingerprint, "resnet152"):
        assert part in str(caught.value)


def test_missing_videos_are_reported_and_a_missing_stream_is_no_crash(tmp_path):
    world = made_up(tmp_path, n_videos=4, splits=("test",))
    world.store.path_of("video001").unlink()
    for video_id in ("video000", "video002", "video003"):
        audio = world.store.read(video_id).audio
        world.store.write(features_of(video_id, None, audio))
    _, evaluation = evaluate(untrained(), world.store, world.dataset)
    assert evaluation.missing_videos == ("video001",)
    assert evaluation.n_rows == 3


def test_no_features_or_rows_at_all_is_refused(tmp_path):
    world = made_up(tmp_path, n_videos=2, splits=("test",))
    with pytest.raises(DatasetError, match="val split"):
        evaluate(untrained(), world.store, world.dataset, "val")
    for video_id in world.store.video_ids():
        world.store.path_of(video_id).unlink()
    with pytest.raises(DatasetError, match="has features"):
        evaluate(untrained(), world.store, world.dataset)


def test_labels_are_matched_by_name(tmp_path):
    world = made_up(tmp_path, n_videos=6, splits=("test",))
    swapped = replace(world.dataset, labels=LabelSet(("bark", "bell")))
    model = untrained()
    one = evaluate(model, world.store, world.dataset)[0].targets
    np.testing.assert_array_equal(evaluate(model, world.store, swapped)[0].targets, one)
    with pytest.raises(DatasetError, match="bark") as caught:
        evaluate(untrained(LabelSet(("bell",))), world.store, world.dataset)
    assert "bell" in caught.value.hint


def test_rows_whose_video_was_trained_on_are_counted_apart(tmp_path):
    world = made_up(tmp_path, n_videos=4, splits=("test",))
    leak = Row("video000", "bark", 0, 1, "train")
    dataset = replace(world.dataset, rows=(*world.dataset.rows, leak))
    predictions, evaluation = evaluate(untrained(), world.store, dataset)
    right = predictions.class_scores.argmax(-1) == predictions.targets
    assert evaluation.n_seen == 1
    assert evaluation.unseen_accuracy == pytest.approx(right[1:].mean())


def test_a_perfect_answer_measures_as_perfect():
    targets = [[0, 0, 2], [1, 1, 1], [2, 1, 2]]
    predictions = predictions_of(targets, targets)
    evaluation = measure(predictions)
    for name in ("segment_accuracy", "foreground_f1", "event_f1", "boundary_accuracy"):
        assert getattr(evaluation, name) == 1.0
    assert evaluation.class_oracle_accuracy == pytest.approx(6 / 9)
    assert evaluation.majority_accuracy is None
    always = measure(predictions, majority_label="bark")
    assert always.majority_accuracy == pytest.approx(4 / 9)
    assert evaluation.calibration_error == pytest.approx(0)
    assert measure(predictions, selection="TEST split").calibration_error is None
    assert evaluation.interval == (1.0, 1.0)
    assert evaluation.n_boundary == 2
    assert evaluation.confusion == ((2, 0, 0), (0, 4, 0), (0, 0, 3))


def test_the_training_videos_are_walked_once_whatever_the_number_of_rows():
    """A set of them made for every row took most of a minute for ten thousand rows."""

    class Counted(list):
        n_walks = 0

        def __iter__(self):
            self.n_walks += 1
            return super().__iter__()

    targets = np.zeros((50, 2), dtype=np.int64)
    predictions = predictions_of(targets, targets)
    trained_on = Counted(["0", "1", "x"])
    assert measure(predictions, training_videos=trained_on).n_seen == 2
    assert trained_on.n_walks == 1


@pytest.mark.real
def test_the_class_oracle_of_aves_test_split_is_the_known_number(real_data):
    from avloc.datasets import load_dataset
    from avloc.evaluation.metrics import class_oracle_accuracy, has_boundary
    from avloc.timeline import Grid

    dataset = load_dataset(real_data / "AVE_Dataset")
    rows = dataset.split("test")
    targets = np.stack([dataset.targets(row, Grid(10)).classes for _, row in rows])
    assert targets.shape == (402, 10)
    assert round(100 * class_oracle_accuracy(targets, 28), 1) == 82.2
    assert has_boundary(targets).sum() == 141


@pytest.mark.parametrize("modality", ["audio", "visual"])
def test_without_a_modality_the_answer_is_that_for_videos_that_lack_it(tmp_path, modality):
    world = made_up(tmp_path)
    model = untrained()
    whole, _ = evaluate(model, world.store, world.dataset, device="cpu")
    hidden, evaluation = evaluate(model, world.store, world.dataset, without=modality, device="cpu")
    assert evaluation.without == modality
    for video_id in set(hidden.video_ids):
        features = world.store.read(video_id)
        world.store.write(replace(features, **{modality: None}))
    lacking, _ = evaluate(model, world.store, world.dataset, device="cpu")
    np.testing.assert_array_equal(hidden.scores, lacking.scores)
    assert (hidden.scores != whole.scores).any()
    with pytest.raises(UnknownNameError, match="vision"):
        evaluate(model, world.store, world.dataset, without="vision")
