"""Count assignment, against a transcription of its rule with loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_up import truth_of_classes

from avloc.labels import LabelSet
from avloc.models import ModelOutput
from avloc.training import TrainingConfig, loss_of
from avloc.training.count_assignment import assigned_exclusive, assigned_independent, counts

N_LABELS = 3


def by_rule(logits: np.ndarray, count: np.ndarray, scored: np.ndarray) -> np.ndarray:
    """Labels in turn, the most frequent first, take the free segments they exceed background in."""
    classes = np.full(len(logits), -1)
    classes[scored] = N_LABELS
    for label in sorted(range(N_LABELS), key=lambda c: (-count[c], c)):
        margins = {t: z[label] - z[N_LABELS] for t, z in enumerate(logits)}
        free = [t for t in range(len(logits)) if classes[t] == N_LABELS]
        best = sorted(free, key=lambda t: (-margins[t], t))[: count[label]]
        classes[best] = label
    return classes


@given(st.integers(0, 100_000))
def test_each_label_takes_its_likeliest_segments(seed):
    draw = np.random.default_rng(seed)
    logits = draw.normal(size=(2, 7, N_LABELS + 1))
    scored = draw.random((2, 7)) < 0.8
    classes = np.where(scored, draw.integers(N_LABELS + 1, size=(2, 7)), -1)
    truth = truth_of_classes(torch.from_numpy(classes), N_LABELS)
    count = counts(truth.targets, truth.scored)
    given_to = assigned_exclusive(torch.from_numpy(logits), count, truth.scored, N_LABELS)
    for b in range(2):
        expected = by_rule(logits[b], count[b].numpy(), scored[b])
        wanted = expected[:, None] == np.arange(N_LABELS)
        np.testing.assert_array_equal(given_to[b].numpy(), wanted)
    np.testing.assert_array_equal(given_to.sum(dim=1), count)


@given(st.integers(0, 100_000))
def test_independent_labels_do_not_compete(seed):
    draw = np.random.default_rng(seed)
    logits, scored = draw.normal(size=(1, 6, N_LABELS)), draw.random((1, 6)) < 0.8
    count = draw.integers(0, scored.sum() + 1, size=(1, N_LABELS))
    given_to = assigned_independent(*(torch.from_numpy(x) for x in (logits, count, scored)))
    for c in range(N_LABELS):
        order = sorted(np.flatnonzero(scored[0]), key=lambda t: -logits[0, t, c])
        assert set(np.flatnonzero(given_to[0, :, c])) == set(order[: count[0, c]])


def loss_by_rule(answers: list[np.ndarray], classes: np.ndarray) -> float:
    """Assign by the answers' mean; cross-entropy of each answer, the mean over segments."""
    count = np.array([(classes == c).sum() for c in range(N_LABELS)])
    assigned = by_rule(np.mean(answers, axis=0), count, classes >= 0)
    total = 0.0
    for z in answers:
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        total -= np.mean([np.log(p[t, c]) for t, c in enumerate(assigned) if c >= 0])
    return total


@pytest.mark.parametrize("is_isolated", [False, True])
def test_the_loss_is_that_of_known_segments(is_isolated):
    draw = np.random.default_rng(4)
    logits, alone = draw.normal(size=(2, 3, 5, N_LABELS + 1))
    classes = np.array([[0, 0, 3, 3, -1], [1, 2, 3, 2, 2], [3, 3, 3, 3, 3]])
    config = TrainingConfig(
        supervision="weak",
        weak_labels="proportion",
        pooling="count",
        isolate="on" if is_isolated else "off",
        splice="off",
    )
    loss = loss_of(config, LabelSet(("a", "b", "c")), most_labels=2)
    truth = truth_of_classes(torch.from_numpy(classes), N_LABELS)
    z = torch.from_numpy(logits)
    if is_isolated:
        total = loss.isolated_total(z, torch.from_numpy(alone), truth)
    else:
        assert loss.isolated_total is None
        total = loss.total(ModelOutput(z), truth)
    expected = 0.0
    for b in range(3):
        answers = [logits[b], alone[b]] if is_isolated else [logits[b]]
        expected += loss_by_rule(answers, classes[b])
    assert total.item() == pytest.approx(expected, rel=1e-5)


def test_the_windows_of_a_video_share_its_count():
    """Two windows of one row: all three segments of the label are in the second."""
    logits = torch.zeros(2, 3, 2)
    logits[1, :, 0] = 9.0
    classes = torch.tensor([[0, 0, 1], [0, 1, 1]])  # the count is 3, whatever the order
    truth = truth_of_classes(classes, 1)
    truth.row[:] = 0
    config = TrainingConfig(supervision="weak", weak_labels="proportion", pooling="count")
    loss = loss_of(config, LabelSet(("a",)), most_labels=1)
    assert loss.count(truth) == 1
    expected = (3 * np.log(1 + np.exp(-9.0)) + 3 * np.log(2)) / 6
    assert loss.total(ModelOutput(logits), truth).item() == pytest.approx(expected, rel=1e-4)
