"""The steps of training, as functions of one state."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam

from avloc.datasets.batches import Batch, Feed, Truth
from avloc.errors import AvlocError
from avloc.models import Model, ModelOutput, state_arrays
from avloc.training.config import TrainingConfig
from avloc.training.losses import Loss
from avloc.training.team import Team


@dataclass
class TrainingState:
    """All that changes while training."""

    model: Model
    optimizer: Adam
    team: Team
    step: nn.Module  # the model, or the team's wrapping of it
    epoch: int = 0  # finished epochs
    best: dict[str, NDArray[Any]] = field(default_factory=dict)  # weights of the best epoch
    metrics: dict[str, float] = field(default_factory=dict)  # numbers of the best epoch
    history: dict[str, list[float]] = field(default_factory=dict)  # of all epochs, by name


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
    """Take one pass over the examples; return the team's loss and accuracy a segment."""
    state.model.train()
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate(config, state.epoch)
    tally = _Tally()
    drops = config.modality_dropout if state.model.modalities == "both" else 0.0
    order = examples.order(config.batch_size, seed=(config.seed, state.epoch))
    for number, indices in enumerate(order):
        n_scored = loss.count(examples.truth(indices))
        has_share = state.team.rank < len(indices)
        # A process without a share takes one example without effect: all take every step.
        share = slice(state.team.rank, None, state.team.size) if has_share else slice(1)
        batch = examples.batch(indices[share])
        if drops:
            chances = np.random.default_rng((config.seed, state.epoch, number)).random(len(indices))
            drop_modalities(batch, drops, torch.tensor(chances[share], dtype=torch.float32))
        with _precision(state.team.device, config):
            output = state.step(batch.visual, batch.audio)
        total = loss.total(output, batch.truth) * has_share
        _step(state, total * (state.team.size / n_scored), config)
        if has_share:
            tally.add(output, batch.truth, float(total.detach()), loss)
    mean_loss, accuracy = tally.of_team(state.team)
    if not math.isfinite(mean_loss):
        raise AvlocError(
            f"the loss is {mean_loss} in epoch {state.epoch + 1}",
            "Look for features that are not finite, or lower the learning rate.",
        )
    return mean_loss, accuracy


def drop_modalities(batch: Batch, share: float, chances: Tensor) -> None:
    """Hide picture or sound in a share of the windows, by (B,) even ``chances`` in [0, 1)."""
    batch.hide("visual", chances < share / 2)
    batch.hide("audio", (chances >= share / 2) & (chances < share))


def _step(state: TrainingState, loss: Tensor, config: TrainingConfig) -> None:
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    if config.gradient_clip:
        clip_grad_norm_(state.model.parameters(), config.gradient_clip)
    state.optimizer.step()


def _precision(device: torch.device, config: TrainingConfig) -> torch.autocast:
    is_mixed = config.precision == "bf16" or (config.precision == "auto" and device.type == "cuda")
    return torch.autocast(device.type, torch.bfloat16, enabled=is_mixed)


def validate(model: Model, examples: Feed, batch_size: int, loss: Loss) -> tuple[float, float]:
    """Return the loss and the accuracy a scored segment, in single precision."""
    tally = _Tally()
    for output, truth in answers(model, examples, batch_size):
        tally.add(output, truth, float(loss.total(output, truth)), loss)
    return tally.of_team(Team(examples.device))


def answers(model: Model, examples: Feed, batch_size: int) -> Iterator[tuple[ModelOutput, Truth]]:
    """Yield the output and the truth of each batch, in evaluation mode."""
    model.eval()
    for indices in examples.order(batch_size):
        batch = examples.batch(indices)
        with torch.inference_mode():
            output = model(batch.visual, batch.audio)
        yield output, batch.truth


def n_right(logits: Tensor, truth: Truth) -> float:
    """Return how many scored segments are right; of independent labels, the share of each."""
    if logits.shape[-1] > truth.targets.shape[-1]:
        return int((logits.argmax(dim=-1) == truth.classes)[truth.scored].sum())
    is_right = (logits > 0) == truth.targets
    return float(is_right[truth.scored].float().mean(dim=-1).sum())


def record(state: TrainingState, numbers: dict[str, float]) -> None:
    """Add an epoch to the history; keep its weights if it validates best.

    Best is the highest validation accuracy, then the lowest loss, then the earliest.
    """
    for name, number in numbers.items():
        state.history.setdefault(name, []).append(number)
    if not state.best or _rank(numbers) > _rank(state.metrics):
        state.best = state_arrays(state.model)
        state.metrics = {n: numbers[n] for n in numbers if n not in ("learning_rate", "seconds")}


def is_out_of_patience(state: TrainingState, patience: int) -> bool:
    """Return whether the best epoch lies ``patience`` epochs back; never for 0."""
    return bool(patience and state.best and state.epoch - state.metrics["epoch"] >= patience)


def _rank(numbers: dict[str, float]) -> tuple[float, float]:
    return numbers["val_accuracy"], -numbers["val_loss"]


class _Tally:
    """Sums over batches: losses, scored things, right segments and scored segments."""

    def __init__(self) -> None:
        self._sums = np.zeros(4)

    def add(self, output: ModelOutput, truth: Truth, total: float, loss: Loss) -> None:
        right = n_right(output.logits.detach(), truth)
        self._sums += (total, loss.count(truth), right, int(truth.scored.sum()))

    def of_team(self, team: Team) -> tuple[float, float]:
        loss, n_losses, n_right, n_segments = team.sum(self._sums.tolist())
        return loss / n_losses, n_right / n_segments
