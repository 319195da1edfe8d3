"""Scores that mean what they say, and the threshold of each label, fitted on validation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from avloc.datasets.feed import Feed
from avloc.labels import LabelSet
from avloc.models import Model
from avloc.training.sense_calibration import ENOUGH, fit_sense_threshold, sense_segments
from avloc.training.validation import answers

_TEMPERATURES = torch.logspace(-1, 1, 401)  # 0.1 to 10, a step of 1.2 %
_THRESHOLDS = np.linspace(0.25, 0.75, 41)


@dataclass(frozen=True)
class Calibration:
    """What is fitted on validation once the weights are.

    Attributes:
        temperatures: the divisors of logits: one of exclusive labels, (C,) of independent ones.
        thresholds: (C,) the score from which a label is an event.
        sense_thresholds: (2,) the ``heard`` and the ``seen`` from which that sense knows an event
            (`fit_sense_threshold`); (0,) of a model that cannot tell.
    """

    temperatures: NDArray[np.float32]
    thresholds: NDArray[np.float32]
    sense_thresholds: NDArray[np.float32]


def calibrate(model: Model, examples: Feed, batch_size: int, labels: LabelSet) -> Calibration:
    """Fit a model's numbers to validation segments, and set its temperature."""
    logits, targets = _segments(model, examples, batch_size)
    fit = _exclusive_temperature if labels.is_exclusive else _temperatures
    temperatures = fit(logits, targets) if len(logits) else torch.ones(1)
    model.temperature = temperatures.to(examples.device)
    scores = model.probabilities(logits.to(examples.device)).cpu().numpy()
    thresholds = fit_thresholds(scores, targets.numpy(), labels)
    senses = [fit_sense_threshold(*of) for of in sense_segments(model, examples, batch_size)]
    return Calibration(temperatures.numpy(), thresholds, np.array(senses, np.float32))


def fit_thresholds(
    scores: NDArray[np.floating], targets: NDArray[np.bool_], labels: LabelSet
) -> NDArray[np.float32]:
    """Return (C,) thresholds with the greatest F1 of each label, by (N, C) scores and truth."""
    if labels.is_exclusive and len(scores):
        scores = winning_scores(scores)
    f1 = _f1(scores, targets, axis=0)
    shared = _f1(scores, targets, axis=None)
    own = _THRESHOLDS[_best(f1)]
    few = targets.sum(axis=0) < ENOUGH
    return np.where(few, _THRESHOLDS[_best(shared)], own).astype(np.float32)


def winning_scores(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return (N, C) scores of exclusive labels, 0 but for the label that can be an event.

    That is the likeliest one, where background is not likelier.
    """
    best = scores.max(axis=1, keepdims=True)
    wins = (scores == best) & (best >= 1 - scores.sum(axis=1, keepdims=True))
    return np.where(wins, scores, 0)


def _f1(
    scores: NDArray[np.floating], targets: NDArray[np.bool_], axis: int | None
) -> NDArray[np.float64]:
    """Return F1 for each threshold: of each label (axis 0), or of all segments and labels."""
    rows = []
    for threshold in _THRESHOLDS:
        answers = scores >= threshold
        n_both = (answers & targets).sum(axis=axis)
        rows.append(2 * n_both / np.maximum(answers.sum(axis=axis) + targets.sum(axis=axis), 1))
    return np.array(rows, dtype=np.float64)


def _best(f1: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the index of the threshold with the greatest F1; of equals, the nearest to 0.5."""
    distance = np.abs(_THRESHOLDS - 0.5).reshape(-1, *[1] * (f1.ndim - 1))
    return np.asarray((f1 - 1e-9 * distance).argmax(axis=0))


def _segments(
    model: Model, examples: Feed, batch_size: int
) -> tuple[Float[Tensor, "N K"], Bool[Tensor, "N C"]]:
    """Return the logits and the truth of all scored segments, on the CPU."""
    logits, targets = [], []
    for output, truth in answers(model, examples, batch_size):
        logits.append(output.logits[truth.scored].float().cpu())
        targets.append(truth.targets[truth.scored].cpu())
    return torch.cat(logits), torch.cat(targets)


def _exclusive_temperature(
    logits: Float[Tensor, "N K"], targets: Bool[Tensor, "N C"]
) -> Float[Tensor, 1]:
    """Return the divisor with which the true classes are likeliest.

    It changes the confidence of answers, but no answer (Guo et al., ICML 2017).
    """
    background = torch.full((len(targets),), targets.shape[1])
    classes = torch.where(targets.any(dim=1), targets.int().argmax(dim=1), background)
    losses = [cross_entropy(logits / t, classes).item() for t in _TEMPERATURES]
    return _TEMPERATURES[int(torch.tensor(losses).argmin())].reshape(1)


def _temperatures(
    logits: Float[Tensor, "N C"], targets: Bool[Tensor, "N C"]
) -> Float[Tensor, " C"]:
    """Return a divisor a label; labels with few true segments share that of all together."""
    losses = torch.stack(
        [
            binary_cross_entropy_with_logits(logits / t, targets.float(), reduction="none").mean(0)
            for t in _TEMPERATURES
        ]
    )
    own, shared = losses.argmin(dim=0), losses.mean(dim=1).argmin()
    return _TEMPERATURES[torch.where(targets.sum(dim=0) < ENOUGH, shared, own)]
