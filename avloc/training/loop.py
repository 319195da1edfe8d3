"""The steps of training, as functions of one state."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import tee
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam

from avloc.datasets.batches import Batch
from avloc.datasets.feed import Feed
from avloc.errors import AvlocError
from avloc.models import Model, ModelOutput, load_arrays, state_arrays
from avloc.training.config import TrainingConfig
from avloc.training.losses import Loss
from avloc.training.splicing import with_splices
from avloc.training.tally import Tally
from avloc.training.team import Team
from avloc.training.team_share import Share, share_of

_TAU = "log_temperature"  # the parameter of the spatial attention
_FACTOR = "rate_factor"  # of a group of parameters


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
    initial: dict[str, NDArray[Any]] = field(default_factory=dict)  # weights before the first epoch
    pseudo_labels: NDArray[np.bool_] | None = None  # of the second round of self-training


@dataclass(frozen=True)
class _Step:
    indices: list[int]  # of the examples: the share's windows, then their partners
    n_scored: int  # in the whole batch
    share: Share
    chances: NDArray[np.float64]  # of each window, to be shown without a modality


def begin(model: Model, config: TrainingConfig, team: Team | None = None) -> TrainingState:
    """Return the state before the first epoch."""
    team = team or Team(next(model.parameters()).device)
    optimizer = Adam(_groups(model, config), lr=config.learning_rate)
    initial = state_arrays(model)
    return TrainingState(model, optimizer, team, team.wrap(model), initial=initial)


def begin_again(
    state: TrainingState, config: TrainingConfig, pseudo_labels: NDArray[np.bool_]
) -> None:
    """Go back to the state before the first epoch, for the second round of self-training."""
    load_arrays(state.model, state.initial)
    state.optimizer = Adam(_groups(state.model, config), lr=config.learning_rate)
    state.epoch, state.best, state.metrics, state.history = 0, {}, {}, {}
    state.pseudo_labels = pseudo_labels


def _groups(model: Model, config: TrainingConfig) -> list[dict[str, Any]]:
    """Return the parameters by the factor on their learning rate."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        factor = config.tau_rate_factor if name.endswith(_TAU) else 1.0
        groups.setdefault(factor, []).append(parameter)
    return [{"params": group, _FACTOR: factor} for factor, group in groups.items()]


def learning_rate(config: TrainingConfig, epoch: int) -> float:
    """Return an epoch's rate, counted from 0: halved after each milestone."""
    return config.learning_rate * 0.5 ** sum(epoch >= milestone for milestone in config.milestones)


def train_epoch(
    state: TrainingState, examples: Feed, config: TrainingConfig, loss: Loss
) -> tuple[float, float]:
    """Take one pass over the examples; return the team's loss and accuracy a segment."""
    state.model.train()
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate(config, state.epoch) * group[_FACTOR]
    tally = Tally(state.team.device)
    steps, ahead = tee(_steps(state, examples, config, loss))
    batches = examples.batches(step.indices for step in ahead)
    for step, batch in zip(steps, batches, strict=True):
        share = step.share
        # A weak label is of the whole video, whatever of it is hidden below.
        truth = batch.truth.copy() if loss.is_of_rows else batch.truth
        shown = _shown(batch, share, step.chances, state.model, config)
        with _precision(state.team.device, config):
            output: ModelOutput = state.step(*shown.inputs)
            isolated = _isolated(state.step, shown, share) if loss.isolated_total else None
        total = share.total(loss, output, truth, isolated) * share.has_effect
        _step(state, total * (state.team.size / step.n_scored), config)
        if share.has_effect:
            n = len(share.windows)
            counted = examples.truth(step.indices[:n])
            tally.add(output.first(n), truth.first(n), total, counted, loss)
    mean_loss, accuracy = tally.of_team(state.team)
    if not math.isfinite(mean_loss):
        raise AvlocError(
            f"the loss is {mean_loss} in epoch {state.epoch + 1}",
            "Look for features that are not finite, or lower the learning rate.",
        )
    return mean_loss, accuracy


def _steps(
    state: TrainingState, examples: Feed, config: TrainingConfig, loss: Loss
) -> Iterator[_Step]:
    """Yield what this process does in each step of an epoch."""
    seed = (config.seed, state.epoch)
    order = examples.order(config.batch_size, seed, whole_rows=loss.is_of_rows)
    for number, indices in enumerate(order):
        truth = examples.truth(indices)
        n_scored = loss.count(truth)
        if not n_scored:  # full supervision, and only labels without times
            continue
        share = share_of(state.team, truth, loss, (*seed, number))
        chances = np.random.default_rng((*seed, number)).random(len(indices))[share.windows]
        taken = [indices[n] for n in (*share.windows, *share.partners)]
        yield _Step(taken, n_scored, share, chances)


def _shown(
    batch: Batch,
    share: Share,
    chances: NDArray[np.float64],
    model: Model,
    config: TrainingConfig,
) -> Batch:
    """Return a share's windows and, after them, the same windows spliced; some lose a modality."""
    shown = batch if share.splice is None else with_splices(batch, share.splice)
    if config.modality_dropout and model.modalities == "both":
        copies = 1 if share.splice is None else 2
        of_windows = torch.tensor(chances, dtype=torch.float32).repeat(copies)
        drop_modalities(shown, config.modality_dropout, of_windows)
    return shown


def _isolated(step: nn.Module, shown: Batch, share: Share) -> Float[Tensor, "B T K"]:
    """Return the logits of each segment of a share's windows as a window by itself."""
    n_windows = len(share.windows)
    alone = [x[:n_windows].flatten(0, 1).unsqueeze(1) for x in (shown.visual, shown.audio)]
    logits: Tensor = step(*alone).logits
    return logits.reshape(n_windows, -1, logits.shape[-1])


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


def record(state: TrainingState, numbers: dict[str, float], selected_by: str) -> None:
    """Add an epoch to the history; keep its weights if it validates best.

    Best is the highest validation accuracy by ``segments``, and the lowest error by ``labels``,
    then the lowest loss; by ``loss`` the lowest loss alone. Of equals it is the earliest.
    """
    for name, number in numbers.items():
        state.history.setdefault(name, []).append(number)
    if not state.best or _rank(numbers, selected_by) > _rank(state.metrics, selected_by):
        state.best = state_arrays(state.model)
        state.metrics = {n: numbers[n] for n in numbers if n not in ("learning_rate", "seconds")}


def is_out_of_patience(state: TrainingState, patience: int) -> bool:
    """Return whether the best epoch lies ``patience`` epochs back; never for 0."""
    return bool(patience and state.best and state.epoch - state.metrics["epoch"] >= patience)


def _rank(numbers: dict[str, float], selected_by: str) -> tuple[float, ...]:
    by_loss = -numbers["val_loss"]
    if selected_by == "loss":
        return (by_loss,)
    first = -numbers["val_error"] if selected_by == "labels" else numbers["val_accuracy"]
    return first, by_loss
