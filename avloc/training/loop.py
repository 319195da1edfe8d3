"""The verbs of training, over one state."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam
from torch.optim.lr_scheduler import MultiStepLR

from avloc.datasets.batches import IGNORED, Examples, batches
from avloc.errors import AvlocError
from avloc.models import Model, state_arrays
from avloc.training.config import TrainingConfig
from avloc.training.losses import Loss, segment_cross_entropy


@dataclass
class TrainingState:
    """All that changes while training.

    Attributes:
        model: the network, on its device.
        optimizer: Adam over its parameters.
        schedule: halves the rate at the milestones.
        epoch: the number of finished epochs.
        best: the weights of the best epoch so far, and
        metrics: that epoch's numbers.
        history: a column a metric, an entry an epoch.
    """

    model: Model
    optimizer: Adam
    schedule: MultiStepLR
    epoch: int = 0
    best: dict[str, NDArray[Any]] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    history: dict[str, list[float]] = field(default_factory=dict)


def begin(model: Model, config: TrainingConfig) -> TrainingState:
    """Return the state before the first epoch."""
    optimizer = Adam(model.parameters(), lr=config.learning_rate)
    schedule = MultiStepLR(optimizer, milestones=list(config.milestones), gamma=0.5)
    return TrainingState(model, optimizer, schedule)


def train_epoch(
    state: TrainingState, examples: Examples, config: TrainingConfig, loss: Loss
) -> tuple[float, float]:
    """Take one pass over the examples and return its loss and accuracy a segment.

    Raises:
        AvlocError: the loss is no number any more.
    """
    state.model.train()
    device = next(state.model.parameters()).device
    tally = _Tally()
    for batch in batches(examples, config.batch_size, seed=(config.seed, state.epoch)):
        placed = batch.to(device)
        logits = state.model(placed.visual, placed.audio).logits
        step_loss = loss(logits, placed.targets)
        state.optimizer.zero_grad(set_to_none=True)
        step_loss.backward()  # type: ignore[no-untyped-call]
        if config.gradient_clip:
            clip_grad_norm_(state.model.parameters(), config.gradient_clip)
        state.optimizer.step()
        tally.add(logits.detach(), placed.targets, float(step_loss.detach()))
    if not math.isfinite(tally.loss):
        raise AvlocError(
            f"the loss is {tally.loss} in epoch {state.epoch + 1}",
            "Look for features that are no numbers, or lower the learning rate.",
        )
    return tally.loss, tally.accuracy


def validate(model: Model, examples: Examples, batch_size: int) -> tuple[float, float]:
    """Return the cross-entropy and the accuracy a scored segment."""
    model.eval()
    device = next(model.parameters()).device
    tally = _Tally()
    with torch.inference_mode():
        for batch in batches(examples, batch_size):
            placed = batch.to(device)
            logits = model(placed.visual, placed.audio).logits
            tally.add(logits, placed.targets, float(segment_cross_entropy(logits, placed.targets)))
    return tally.loss, tally.accuracy


def record(state: TrainingState, numbers: dict[str, float]) -> None:
    """Add an epoch's numbers to the history; keep its weights if it validates best.

    Best is the highest validation accuracy, among equals the lowest validation loss, among
    those the earliest.
    """
    for name, number in numbers.items():
        state.history.setdefault(name, []).append(number)
    if not state.best or _rank(numbers) > _rank(state.metrics):
        state.best = state_arrays(state.model)
        state.metrics = {n: numbers[n] for n in numbers if n not in ("learning_rate", "seconds")}


def is_out_of_patience(state: TrainingState, patience: int) -> bool:
    """Tell whether the best epoch lies ``patience`` epochs back; never for 0."""
    return bool(patience and state.best and state.epoch - state.metrics["epoch"] >= patience)


def _rank(numbers: dict[str, float]) -> tuple[float, float]:
    return numbers["val_accuracy"], -numbers["val_loss"]


class _Tally:
    """Loss and accuracy summed over batches, by scored segment."""

    def __init__(self) -> None:
        self._n_scored = 0
        self._n_right = 0
        self._loss = 0.0

    def add(self, logits: Tensor, targets: Tensor, mean_loss: float) -> None:
        scored = targets != IGNORED
        n_scored = int(scored.sum())
        self._n_scored += n_scored
        self._n_right += int((logits.argmax(dim=-1) == targets)[scored].sum())
        self._loss += mean_loss * n_scored

    @property
    def loss(self) -> float:
        return self._loss / self._n_scored

    @property
    def accuracy(self) -> float:
        return self._n_right / self._n_scored
