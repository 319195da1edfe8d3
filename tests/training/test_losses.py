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

from avloc.datasets.targets import IGNORED
from avloc.labels import LabelSet
from avloc.models import ModelOutput
from avloc.training import TrainingConfig, loss_of
from avloc.training.losses import presence, proportion

BACKGROUND = 2
TARGETS = torch.tensor([[0, 0, BACKGROUND, IGNORED], [BACKGROUND, 1, 0, 1], [BACKGROUND] * 4])


LABELS = LabelSet(("bell", "bark"))


def weak(**options):
    return loss_of(TrainingConfig(supervision="weak", **options), LABELS)


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


def test_weak_labels_are_the_share_of_time_or_what_is_there():
    expected = [[2 / 3, 0, 1 / 3], [1 / 4, 2 / 4, 1 / 4], [0, 0, 1]]
    np.testing.assert_allclose(proportion(TARGETS, 3), expected, rtol=1e-6)
    np.testing.assert_allclose(presence(TARGETS, 3), [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]])


@pytest.mark.parametrize(
    ("options", "pool"),
    [
        ({"weak_labels": "proportion"}, lambda z: z.mean(0)),
        ({"weak_labels": "presence"}, lambda z: z.max(0)),
        ({"weak_labels": "presence", "pooling": "mean"}, lambda z: z.mean(0)),
        (
            {"weak_labels": "presence", "pooling": "topk", "top_k": 2},
            lambda z: np.sort(z, axis=0)[-2:].mean(0),
        ),
        (
            {"weak_labels": "proportion", "pooling": "topk", "top_k": 9},
            lambda z: z.mean(0),
        ),
    ],
)
def test_weak_supervision_pools_and_takes_the_soft_cross_entropy(options, pool):
    logits = torch.randn(3, 4, 3, generator=torch.Generator().manual_seed(0)).double()
    label = {"proportion": proportion, "presence": presence}[options["weak_labels"]]
    labels = label(TARGETS, 3).numpy()
    losses = []
    for b, n_scored in enumerate((3, 4, 4)):
        pooled = pool(logits[b, :n_scored].numpy())
        losses.append(-sum(labels[b] * log_softmax(pooled)))
    loss = weak(**options)
    assert count_of(loss, TARGETS) == 3
    assert total_of(loss, logits, TARGETS).item() == pytest.approx(sum(losses), rel=1e-6)


@given(st.integers(0, 10_000), st.sampled_from(["proportion", "presence"]))
def test_a_weak_loss_cannot_see_the_order_of_the_labels(seed, kind):
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 6, 3, generator=draw)
    targets = torch.randint(3, (2, 6), generator=draw)
    shuffled = targets[:, torch.randperm(6, generator=draw)]
    loss = weak(weak_labels=kind)
    torch.testing.assert_close(total_of(loss, logits, targets), total_of(loss, logits, shuffled))


@given(st.integers(0, 10_000))
def test_presence_cannot_see_how_long_an_event_lasts_and_proportion_can(seed):
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(1, 6, 3, generator=draw)
    short, long = torch.full((1, 6), BACKGROUND), torch.full((1, 6), BACKGROUND)
    short[:, :1], long[:, :5] = 0, 0
    loss = weak(weak_labels="presence")
    torch.testing.assert_close(total_of(loss, logits, short), total_of(loss, logits, long))
    loss = weak(weak_labels="proportion")
    assert not torch.isclose(total_of(loss, logits, short), total_of(loss, logits, long))


@pytest.mark.parametrize("options", [{}, {"supervision": "weak"}])
def test_the_parts_of_a_batch_add_up_to_it(options):
    logits = torch.randn(3, 4, 3, generator=torch.Generator().manual_seed(1))
    loss = loss_of(TrainingConfig(**options), LABELS)
    parts = [total_of(loss, logits[b : b + 1], TARGETS[b : b + 1]) for b in range(3)]
    torch.testing.assert_close(sum(parts), total_of(loss, logits, TARGETS))
    assert sum(count_of(loss, TARGETS[b : b + 1]) for b in range(3)) == count_of(loss, TARGETS)


def test_a_window_without_a_scored_segment_counts_for_nothing():
    logits = torch.randn(1, 4, 3, requires_grad=True)
    loss = weak()
    total = total_of(loss, logits, torch.full((1, 4), IGNORED))
    assert (total.item(), count_of(loss, torch.full((1, 4), IGNORED))) == (0.0, 0)


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
