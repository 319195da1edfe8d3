"""The verbs of training, over one state."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam

from avloc.datasets.batches import Batch, Feed
from avloc.datasets.examples import IGNORED
from avloc.errors import AvlocError
from avloc.models import Model, state_arrays
from avloc.training.config import TrainingConfig
from avloc.training.losses import FULL, Loss
from avloc.training.team import Team


@dataclass
class TrainingState:
    """All that changes while training.

    Attributes:
        model: the network, on its device.
        optimizer: Adam over its parameters.
        team: the processes that train it.
        step: what a training step calls: the model, or the team's wrapping of it.
        epoch: the number of finished epochs.
        best: the weights of the best epoch so far, and
        metrics: that epoch's numbers.
        history: a column a metric, an entry an epoch.
    """

    model: Model
    optimizer: Adam
    team: Team
    step: nn.Module
    epoch: int = 0
    best: dict[str, NDArray[Any]] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    history: dict[str, list[float]] = field(default_factory=dict)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.team.device


def begin(model: Model, config: TrainingConfig, team: Team | None = None) -> TrainingState:
    """Return the state before the first epoch."""
    team = team or Team(next(model.parameters()).device)
    optimizer = Adam(model.parameters(), lr=config.learning_rate)
    return TrainingState(model, optimizer, team, team.wrap(model))


def learning_rate(config: TrainingConfig, epoch: int) -> float:
    """Return an epoch's rate, counted from 0: halved after each milestone."""
    return config.learning_rate * 0.5 ** sum(epoch >= milestone for milestone in config.milestones)


def train_epoch(
    state: TrainingState, examples: Feed, config: TrainingConfig, loss: Loss
) -> tuple[float, float]:
    """Take one pass over the examples and return its loss and accuracy a segment.

    Each process of a team takes its share of every batch; together they take the steps that
    one alone would take.

    Raises:
        AvlocError: the loss is no number any more.
    """
    state.model.train()
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate(config, state.epoch)
    tally = _Tally()
    drops = config.modality_dropout if state.model.modalities == "both" else 0.0
    for n, places in enumerate(examples.order(config.batch_size, seed=(config.seed, state.epoch))):
        n_scored = loss.count(examples.targets(places))
        own = state.team.share(places)
        batch = examples.batch(own or places[:1])
        if drops:
            chances = np.random.default_rng((config.seed, state.epoch, n)).random(len(places))
            of_index = dict(zip(places, chances.tolist(), strict=True))
            drop_modalities(
                batch, drops, torch.tensor([of_index[index] for index in batch.indices])
            )
        with _arithmetic(state.device, config):
            logits = state.step(batch.visual, batch.audio).logits.float()
        total = loss.total(logits, batch.targets) * bool(own)
        _step(state, total * (state.team.size / n_scored), config)
        if own:
            tally.add(logits.detach(), batch.targets, float(total.detach()), loss)
    mean_loss, accuracy = tally.of_team(state.team)
    if not math.isfinite(mean_loss):
        raise AvlocError(
            f"the loss is {mean_loss} in epoch {state.epoch + 1}",
            "Look for features that are no numbers, or lower the learning rate.",
        )
    return mean_loss, accuracy


def drop_modalities(batch: Batch, share: float, chances: Tensor) -> None:
    """Take picture or sound, either as often, from a share of a batch's windows, in place.

    Args:
        batch: B windows.
        share: of them that lose one.
        chances: (B,) drawn evenly from [0, 1).
    """
    batch.hide("visual", chances < share / 2)
    batch.hide("audio", (chances >= share / 2) & (chances < share))


def _step(state: TrainingState, loss: Tensor, config: TrainingConfig) -> None:
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    if config.gradient_clip:
        clip_grad_norm_(state.model.parameters(), config.gradient_clip)
    state.optimizer.step()


def _arithmetic(device: torch.device, config: TrainingConfig) -> torch.autocast:
    is_mixed = config.precision == "bf16" or (config.precision == "auto" and device.type == "cuda")
    return torch.autocast(device.type, torch.bfloat16, enabled=is_mixed)


def validate(model: Model, examples: Feed, batch_size: int) -> tuple[float, float]:
    """Return the cross-entropy and the accuracy a scored segment, in single precision."""
    model.eval()
    tally = _Tally()
    with torch.inference_mode():
        for places in examples.order(batch_size):
            batch = examples.batch(places)
            logits = model(batch.visual, batch.audio).logits
            tally.add(logits, batch.targets, float(FULL.total(logits, batch.targets)), FULL)
    return tally.of_team(Team(examples.device))


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
    """Sums over batches: losses and what they were summed over, right segments and scored."""

    def __init__(self) -> None:
        self._sums = np.zeros(4)

    def add(self, logits: Tensor, targets: Tensor, total: float, loss: Loss) -> None:
        scored = targets != IGNORED
        n_right = int((logits.argmax(dim=-1) == targets)[scored].sum())
        self._sums += (total, loss.count(targets), n_right, int(scored.sum()))

    def of_team(self, team: Team) -> tuple[float, float]:
        """Return the mean loss and the accuracy."""
        loss, n_losses, n_right, n_segments = team.sum(self._sums.tolist())
        return loss / n_losses, n_right / n_segments
