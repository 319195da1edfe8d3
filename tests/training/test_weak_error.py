"""The error that chooses the epoch of a weak training, against sums written out with numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from made_up import truth_of_classes

from avloc.datasets.batches import Truth
from avloc.labels import IGNORED, LabelSet
from avloc.models import ModelOutput
from avloc.training import TrainingConfig, loss_of

NAMES = ("bell", "bark")
CLASSES = torch.tensor(
    [[0, 0, 2, 2, 0], [1, 2, 1, 0, 2], [2, 2, 2, 2, 2], [1, 1, 1, IGNORED, IGNORED]]
)


def error_of(output: ModelOutput, truth: Truth, kind="exclusive", **options) -> float:
    chosen = {"pooling": "count", "weak_labels": "proportion", "isolate": "off", "splice": "off"}
    config = TrainingConfig(supervision="weak", **chosen | options)
    return float(loss_of(config, LabelSet(NAMES, kind=kind), 2).error.total(output, truth))


def logits_of(seed: int, n_classes: int) -> torch.Tensor:
    draw = np.random.default_rng(seed)
    return torch.from_numpy(draw.normal(size=(len(CLASSES), 5, n_classes)))


def given_to(z: np.ndarray, counts: list[int]) -> list[int]:
    """Return the class of each segment: the most frequent label chooses its segments first."""
    classes = [2] * len(z)
    for label in sorted(range(2), key=lambda k: -counts[k]):
        free = [t for t in range(len(z)) if classes[t] == 2]
        free.sort(key=lambda t: z[t, 2] - z[t, label])
        for t in free[: counts[label]]:
            classes[t] = label
    return classes


@pytest.mark.parametrize("seed", range(5))
def test_with_proportions_answers_are_compared_with_what_suits_them(seed):
    z = logits_of(seed, 3)
    expected = 0.0
    for row, classes in zip(z.numpy(), CLASSES.tolist(), strict=True):
        scored = [t for t in range(5) if classes[t] != IGNORED]
        suiting = given_to(row[scored], [classes.count(k) for k in range(2)])
        wrong = [row[t].argmax() != c for t, c in zip(scored, suiting, strict=True)]
        expected += np.mean(wrong)
    found = error_of(ModelOutput(z), truth_of_classes(CLASSES, 2))
    assert found == pytest.approx(expected)
    assert found > 0


def test_answers_that_fit_the_proportions_have_no_error_wherever_they_are():
    moved = torch.tensor([[2, 0, 0, 0, 2], [0, 1, 2, 2, 1], [2] * 5, [1] * 5])
    z = torch.nn.functional.one_hot(moved, 3).double()
    assert error_of(ModelOutput(z), truth_of_classes(CLASSES, 2)) == 0


@pytest.mark.parametrize("seed", range(5))
def test_with_presence_the_pooled_answer_is_a_label_that_occurs(seed):
    z = logits_of(seed, 3)
    expected = 0
    for row, classes in zip(z.numpy(), CLASSES.tolist(), strict=True):
        scored = [t for t in range(5) if classes[t] != IGNORED]
        pooled = np.sort(row[scored], axis=0)[-2:].mean(axis=0)
        expected += pooled.argmax() not in ({0, 1} & set(classes) or {2})
    options = {"weak_labels": "presence", "pooling": "topk", "top_k": 2}
    assert error_of(ModelOutput(z), truth_of_classes(CLASSES, 2), **options) == expected


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("label", ["proportion", "presence"])
def test_independent_labels_are_counted_each(seed, label):
    z, expected = logits_of(seed, 2), 0.0
    for row, classes in zip(z.numpy(), CLASSES.tolist(), strict=True):
        scored = [t for t in range(5) if classes[t] != IGNORED]
        for k in range(2):
            if label == "presence":
                expected += ((row[scored, k].max() > 0) != (k in classes)) / 2
                continue
            likeliest = sorted(scored, key=lambda t, k=k, row=row: -row[t, k])
            for rank, t in enumerate(likeliest):
                is_given = rank < classes.count(k)
                expected += ((row[t, k] > 0) != is_given) / (2 * len(scored))
    options = {"weak_labels": label, "pooling": "count" if label == "proportion" else "max"}
    truth = truth_of_classes(CLASSES, 2)
    found = error_of(ModelOutput(z), truth, kind="independent", **options)
    assert found == pytest.approx(expected)


def test_windows_of_a_row_are_judged_together():
    """The label says three of ten segments; the first window alone holds all of them."""
    classes = torch.tensor([[0, 0, 2, 2, 2], [0, 2, 2, 2, 2]])
    truth = truth_of_classes(classes, 2)
    answers = torch.tensor([[0, 0, 0, 2, 2], [2, 2, 2, 2, 2]])
    z = torch.nn.functional.one_hot(answers, 3).double()
    apart = error_of(ModelOutput(z), truth)
    assert apart == pytest.approx(2 / 5)  # one too many in the first, one too few in the second
    truth.row[:] = 7
    assert error_of(ModelOutput(z), truth) == 0


def test_a_model_that_pools_by_itself_is_judged_by_that():
    pooled = torch.tensor([[0.9, 0.6], [0.4, 0.7], [0.1, 0.2], [0.3, 0.4]])
    output = ModelOutput(logits_of(0, 2), pooled=pooled)
    # wrong: bark in the first, bell in the second, bark in the last
    options = {"weak_labels": "presence", "pooling": "auto"}
    truth = truth_of_classes(CLASSES, 2)
    assert error_of(output, truth, kind="independent", **options) == pytest.approx(3 / 2)
