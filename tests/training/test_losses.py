"""Losses of both supervisions, against sums written out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_up import truth_of_classes

from avloc.labels import IGNORED, LabelSet
from avloc.models import ModelOutput
from avloc.training import TrainingConfig, loss_of

BACKGROUND = 2
TARGETS = torch.tensor([[0, 0, BACKGROUND, IGNORED], [BACKGROUND, 1, 0, 1], [BACKGROUND] * 4])


LABELS = LabelSet(("bell", "bark"))


def weak(**options):
    resolved = {"weak_labels": "proportion", "pooling": "mean", "isolate": "off", "splice": "off"}
    config = TrainingConfig(supervision="weak", **resolved | options)
    return loss_of(config, LABELS, most_labels=2)


def total_of(loss, logits, classes):
    return loss.total(ModelOutput(logits), truth_of_classes(classes, 2))


def count_of(loss, classes):
    return loss.count(truth_of_classes(classes, 2))


def log_softmax(z: np.ndarray) -> np.ndarray:
    return z - math.log(sum(math.exp(x) for x in z))


def test_full_supervision_by_hand_leaves_out_what_is_not_scored():
    logits = torch.tensor([[[2.0, 0.0, 1.0], [0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]])
    targets = torch.tensor([[0, 2, IGNORED]])
    first = -math.log(math.exp(2) / (math.exp(2) + 1 + math.e))
    loss = loss_of(TrainingConfig(), LABELS)
    assert count_of(loss, targets) == 2
    assert total_of(loss, logits, targets).item() == pytest.approx(first + math.log(3))


PROPORTIONS = np.array([[2 / 3, 0, 1 / 3], [1 / 4, 2 / 4, 1 / 4], [0, 0, 1]])
PRESENCE = np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]])


@pytest.mark.parametrize(
    ("options", "labels", "pool"),
    [
        ({}, PROPORTIONS, lambda z: z.mean(0)),
        ({"pooling": "topk", "top_k": 9}, PROPORTIONS, lambda z: z.mean(0)),
        ({"weak_labels": "presence", "pooling": "max"}, PRESENCE, lambda z: z.max(0)),
        ({"weak_labels": "presence"}, PRESENCE, lambda z: z.mean(0)),
        (
            {"weak_labels": "presence", "pooling": "topk", "top_k": 2},
            PRESENCE,
            lambda z: np.sort(z, axis=0)[-2:].mean(0),
        ),
    ],
)
def test_weak_supervision_pools_and_takes_the_soft_cross_entropy(options, labels, pool):
    logits = torch.randn(3, 4, 3, generator=torch.Generator().manual_seed(0)).double()
    losses = []
    for b, n_scored in enumerate((3, 4, 4)):
        pooled = pool(logits[b, :n_scored].numpy())
        losses.append(-sum(labels[b] * log_softmax(pooled)))
    loss = weak(**options)
    assert count_of(loss, TARGETS) == 3
    assert total_of(loss, logits, TARGETS).item() == pytest.approx(sum(losses), rel=1e-6)


@given(
    st.integers(0, 10_000),
    st.sampled_from([("proportion", "mean"), ("proportion", "count"), ("presence", "topk")]),
)
def test_a_weak_loss_cannot_see_the_order_of_the_labels(seed, kind):
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 6, 3, generator=draw)
    targets = torch.randint(3, (2, 6), generator=draw)
    shuffled = targets[:, torch.randperm(6, generator=draw)]
    loss = weak(weak_labels=kind[0], pooling=kind[1])
    torch.testing.assert_close(total_of(loss, logits, targets), total_of(loss, logits, shuffled))


@given(st.integers(0, 10_000))
def test_presence_cannot_see_how_long_an_event_lasts_and_proportion_can(seed):
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(1, 6, 3, generator=draw)
    short, long = torch.full((1, 6), BACKGROUND), torch.full((1, 6), BACKGROUND)
    short[:, :1], long[:, :5] = 0, 0
    loss = weak(weak_labels="presence")
    torch.testing.assert_close(total_of(loss, logits, short), total_of(loss, logits, long))
    for pooling in ("mean", "count"):
        loss = weak(pooling=pooling)
        assert not torch.isclose(total_of(loss, logits, short), total_of(loss, logits, long))


@pytest.mark.parametrize("options", [{}, {"weak_labels": "presence"}])
def test_the_parts_of_a_batch_add_up_to_it(options):
    logits = torch.randn(3, 4, 3, generator=torch.Generator().manual_seed(1))
    loss = weak(**options) if options else loss_of(TrainingConfig(), LABELS)
    parts = [total_of(loss, logits[b : b + 1], TARGETS[b : b + 1]) for b in range(3)]
    torch.testing.assert_close(sum(parts), total_of(loss, logits, TARGETS))
    assert sum(count_of(loss, TARGETS[b : b + 1]) for b in range(3)) == count_of(loss, TARGETS)


def test_labels_without_times_are_of_every_segment():
    """Nothing is scored, and the label still says what occurs."""
    logits = torch.randn(1, 4, 3, generator=torch.Generator().manual_seed(2))
    truth = truth_of_classes(torch.full((1, 4), IGNORED), 2)
    truth.present[0, 1] = True
    loss = weak(weak_labels="presence", pooling="max")
    expected = -log_softmax(logits[0].numpy().max(0))[1]
    assert loss.total(ModelOutput(logits), truth).item() == pytest.approx(expected, rel=1e-5)


def test_independent_labels_are_compared_each_by_itself():
    logits = torch.randn(2, 4, 2, generator=torch.Generator().manual_seed(3))
    truth = truth_of_classes(TARGETS[1:], 2)
    labels = LabelSet(("bell", "bark"), kind="independent")
    config = TrainingConfig(supervision="weak", weak_labels="presence", pooling="max", splice="off")
    p = 1 / (1 + np.exp(-logits.numpy().max(1).astype(float)))
    present = np.array([[1, 1], [0, 0]])
    expected = -(present * np.log(p) + (1 - present) * np.log(1 - p)).mean(1).sum()
    total = loss_of(config, labels, 2).total(ModelOutput(logits), truth)
    assert total.item() == pytest.approx(expected, rel=1e-5)


def test_a_model_that_pools_by_itself_is_trained_on_that():
    """Two windows of one video: the likelier one counts; a sum above 1 is clamped."""
    truth = truth_of_classes(TARGETS[:2], 2)
    truth.row[:] = 7
    truth.present[:] = torch.tensor([True, False])
    pooled = torch.tensor([[0.3, 0.2], [0.9, 0.1]])
    loss = weak(weak_labels="presence")
    output = ModelOutput(torch.zeros(2, 4, 3), pooled=pooled)
    expected = -(math.log(0.9) + math.log(0.8)) / 2
    assert loss.count(truth) == 1
    assert loss.total(output, truth).item() == pytest.approx(expected, rel=1e-5)
    above = ModelOutput(torch.zeros(2, 4, 3), pooled=torch.tensor([[1.5, 0.0], [0.0, 0.0]]))
    assert loss.total(above, truth).item() == 0.0


@pytest.mark.parametrize("kind", ["exclusive", "independent"])
def test_a_model_that_answers_each_sense_is_trained_on_the_truth_of_each(kind):
    labels = LabelSet(("bell", "bark"), kind=kind)
    draw = torch.Generator().manual_seed(0)
    truth = truth_of_classes(TARGETS, 2)
    truth.heard[1, 1:3], truth.seen[0] = False, False
    logits, heard, seen = torch.randn(3, 3, 4, labels.n_logits, generator=draw)
    loss = loss_of(TrainingConfig(), labels)
    parts = [
        loss.total(ModelOutput(answer), replace(truth, targets=events)).item()
        for answer, events in ((logits, truth.targets), (heard, truth.heard), (seen, truth.seen))
    ]
    total = loss.total(ModelOutput(logits, heard=heard, seen=seen), truth)
    assert total.item() == pytest.approx(sum(parts) / 3)
    assert len({round(part, 3) for part in parts}) == 3
    assert loss.total(ModelOutput(logits), truth).item() == pytest.approx(parts[0])


def test_the_guided_losses_of_each_sense_are_added_and_the_pictures_label_is_smoothed():
    truth = truth_of_classes(TARGETS[:1], 2)
    truth.present[:] = torch.tensor([True, False])
    pooled, heard, seen = torch.tensor([[[0.8, 0.3]], [[0.7, 0.2]], [[0.6, 0.1]]])
    output = ModelOutput(torch.zeros(1, 4, 3), pooled=pooled, pooled_heard=heard, pooled_seen=seen)
    picture = 0.95 * math.log(0.6) + 0.05 * math.log(0.4)
    picture += 0.05 * math.log(0.1) + 0.95 * math.log(0.9)
    expected = -(math.log(0.8) + math.log(0.7) + math.log(0.7) + math.log(0.8) + picture) / 2
    total = weak(weak_labels="presence").total(output, truth)
    assert total.item() == pytest.approx(expected, rel=1e-5)
