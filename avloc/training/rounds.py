"""Rounds of epochs: on the given labels and, with self-training, again on pseudo-labels."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.datasets.examples import Examples
from avloc.datasets.feed import Feed
from avloc.datasets.reading_ahead import choose_workers
from avloc.devices import count_cores
from avloc.labels import LabelSet
from avloc.models import Model, load_arrays
from avloc.progress import Progress
from avloc.training.config import TrainingConfig
from avloc.training.loop import (
    TrainingState,
    begin_again,
    is_out_of_patience,
    learning_rate,
    record,
    train_epoch,
)
from avloc.training.losses import Loss, loss_of, loss_of_pseudo_labels
from avloc.training.pseudo_labels import pseudo_labels, with_labels
from avloc.training.splits import TrainingData
from avloc.training.team import Team
from avloc.training.validation import validate


@dataclass(frozen=True)
class Course:
    """What stays the same in all epochs of a training; its supervision is resolved."""

    config: TrainingConfig
    labels: LabelSet
    data: TrainingData
    val: Feed
    keep: Callable[[], None]  # called by the leader before each further epoch
    progress: Progress | None

    @property
    def loss(self) -> Loss:
        """The loss of the given labels, by which all epochs of all rounds are compared."""
        return loss_of(self.config, self.labels, self.data.most_labels)

    @property
    def n_rounds(self) -> int:
        """2 with self-training, else 1."""
        return 2 if self.config.is_weak and self.config.self_training == "on" else 1


def feed_of(examples: Examples, model: Model, config: TrainingConfig, team: Team) -> Feed:
    """Return the batches of a split as a model takes them."""
    n_cores = count_cores() // team.size
    n_workers = choose_workers(config.workers, examples, team.device, config.batch_size, n_cores)
    one_length = not model.takes_padding
    return Feed(examples, team.device, n_workers=n_workers, one_length=one_length)


def train_rounds(state: TrainingState, course: Course) -> None:
    """Train until the last round ends; the state's best weights are those of that round."""
    model, config, team = state.model, course.config, state.team
    train = feed_of(course.data.train, model, config, team)
    if state.pseudo_labels is None:
        _round(state, course, train, course.loss)
        if course.n_rounds == 1:
            return
        begin_again(state, course.config, _found(state, course, train))
    assert state.pseudo_labels is not None
    labelled = with_labels(course.data.train, state.pseudo_labels)
    train = feed_of(labelled, model, config, team)
    _round(state, course, train, loss_of_pseudo_labels(course.labels))


def _found(state: TrainingState, course: Course, train: Feed) -> NDArray[np.bool_]:
    """Return the pseudo-labels of the best epoch's weights, the leader's in every process."""
    load_arrays(state.model, state.best)
    config, most_labels = course.config, course.data.most_labels
    found = pseudo_labels(state.model, train, config.batch_size, course.labels, most_labels)
    numbers = state.team.from_leader(found.ravel().tolist())
    return np.array(numbers, dtype=bool).reshape(found.shape)


def _round(state: TrainingState, course: Course, train: Feed, loss: Loss) -> None:
    config, is_leader = course.config, state.team.rank == 0
    number = 1 if state.pseudo_labels is None else 2
    named = f"round {number}, epoch" if course.n_rounds > 1 else "epoch"
    n_before, n_all = (number - 1) * config.epochs, course.n_rounds * config.epochs
    while state.epoch < config.epochs and not is_out_of_patience(state, config.patience):
        if state.epoch and is_leader:
            course.keep()
        said = _epoch(state, course, train, loss)
        if course.progress is not None and is_leader:
            course.progress(n_before + state.epoch, n_all, f"{named} {state.epoch}: {said}")


def _epoch(state: TrainingState, course: Course, train: Feed, loss: Loss) -> str:
    """Train for an epoch, validate, record, and return the number that selects the epoch."""
    config, started = course.config, time.perf_counter()
    # Dropout differs between processes and follows from the epoch, whether resumed or not.
    seed = np.random.SeedSequence((config.seed, state.team.rank, state.epoch))
    torch.manual_seed(int(seed.generate_state(1, np.uint64)[0]))
    rate = learning_rate(config, state.epoch)
    train_loss, train_accuracy = train_epoch(state, train, config, loss)
    validated = validate(state.model, course.val, config.batch_size, course.loss)
    val_loss, val_accuracy, val_error = state.team.from_leader(validated)
    state.epoch += 1
    numbers = {
        "epoch": state.epoch,
        "train_loss": train_loss,
        "train_accuracy": train_accuracy,
        "val_loss": val_loss,
        "val_accuracy": val_accuracy,
        "learning_rate": rate,
        "seconds": time.perf_counter() - started,
    }
    if course.loss.error is not None:
        numbers["val_error"] = val_error
    record(state, numbers, config.selected_by)
    name, value = {
        "segments": ("val", val_accuracy),
        "labels": ("val error", val_error),
        "loss": ("val loss", val_loss),
    }[config.selected_by]
    return f"{name} {value:.3f}"
