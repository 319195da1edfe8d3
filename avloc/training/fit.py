"""From a store and a data set to a model file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
import torch

from avloc.artifacts import FeatureStore, ModelFile
from avloc.datasets import Dataset
from avloc.datasets.batches import Feed
from avloc.datasets.examples import Examples
from avloc.devices import choose_device
from avloc.errors import DatasetError
from avloc.models import Model, build
from avloc.progress import Progress
from avloc.training.calibration import fit_temperature
from avloc.training.config import TrainingConfig
from avloc.training.loop import (
    TrainingState,
    begin,
    is_out_of_patience,
    learning_rate,
    record,
    train_epoch,
    validate,
)
from avloc.training.losses import Loss, loss_of
from avloc.training.resume import check_same, restore_state, resume_arrays
from avloc.training.splits import TrainingData, load_splits
from avloc.training.statistics import fit_scaling
from avloc.training.team import is_leader, team_of


def train(
    store: FeatureStore,
    dataset: Dataset,
    *,
    model: str = "cman",
    options: Mapping[str, object] | None = None,
    config: TrainingConfig | None = None,
    device: str | torch.device = "auto",
    data: TrainingData | None = None,
    unfinished: ModelFile | None = None,
    keep: Callable[[ModelFile], None] | None = None,
    progress: Progress | None = None,
) -> ModelFile:
    """Train a model and keep the epoch that is best on validation.

    Two runs of one seed on the same CPU give the same weights, also where one of them was
    interrupted and resumed. On a GPU they agree up to rounding only: CUDA's kernels add up in
    no fixed order. Under `torchrun` its processes train together, and each returns.

    Args:
        store: features of the data set's videos; a video without features is left out.
        dataset: rows, labels and splits.
        model: the model's name.
        options: its own options, as values or text.
        config: how to train.
        device: ``auto``, ``cpu``, ``cuda``, ...
        data: what `load_splits` returned for this configuration, if it is there already.
        unfinished: what an interrupted training kept last, to go on from there.
        keep: called by the leading process after each epoch but the last with the training
            as it stands, to be kept for going on after an interruption.
        progress: called with (epochs done, the most epochs, "epoch 3: val 0.71").

    Raises:
        UnknownNameError: no model, option or choice has that name.
        UsageError: an option's value cannot be.
        DatasetError: there is nothing to train on, or nothing to validate on.
        ArtifactError: ``unfinished`` is of another training.
        AvlocError: the loss is no number any more.
    """
    config = config or TrainingConfig()
    data = data or load_splits(store, dataset, config, progress)
    with team_of(choose_device(device)) as team, _seeded(config.seed, team.device):
        network = _built(model, dataset, data.train, options or {})
        if config.standardize:
            fit_scaling(network, data.statistics)
        state = begin(network.to(team.device), config, team)
        run = _Run(store, dataset, data, model, config)
        if unfinished is not None:
            check_same(unfinished, run.file(state))
            restore_state(state, unfinished)
        temperature = _fit(state, run, keep, progress if is_leader() else None)
    return run.file(state, temperature=temperature)


@dataclass(frozen=True)
class _Run:
    """What a training was asked to do."""

    store: FeatureStore
    dataset: Dataset
    data: TrainingData
    name: str
    config: TrainingConfig

    def file(
        self, state: TrainingState, *, temperature: float = 1.0, is_unfinished: bool = False
    ) -> ModelFile:
        """Return the training as it stands, as a model file."""
        return ModelFile(
            name=self.name,
            config=state.model.config,
            weights=state.best,
            labels=self.dataset.labels,
            spec=self.store.spec,
            supervision=self.config.supervision,
            n_segments=self.data.train.n_segments,
            segment_seconds=self.data.train.videos[0].segment_seconds,
            metrics=state.metrics,
            seed=self.config.seed,
            data=self.data.describe(self.dataset),
            training=asdict(self.config),
            history={name: list(column) for name, column in state.history.items()},
            temperature=temperature,
            resume=resume_arrays(state) if is_unfinished else {},
        )


def _built(name: str, dataset: Dataset, examples: Examples, options: Mapping[str, object]) -> Model:
    """Build the model for these features.

    Raises:
        DatasetError: it looks at a modality that no training video has.
    """
    model = build(
        name,
        visual_channels=examples.visual_shape[-1],
        audio_channels=examples.audio_channels,
        n_classes=dataset.labels.n_classes,
        **cast(Any, dict(options)),
    )
    for modality, word in (("visual", "picture"), ("audio", "sound")):
        is_used = model.modalities in ("both", modality)
        if is_used and all(getattr(video, modality) is None for video in examples.videos):
            raise DatasetError(
                f"no training video has {word}, and the model looks at it",
                dataset.root,
                hint="Set modalities to the other one, with where=false and which=false.",
            )
    return model


def _fit(
    state: TrainingState,
    run: _Run,
    keep: Callable[[ModelFile], None] | None,
    progress: Progress | None,
) -> float:
    """Run epochs until the last, or until patience ends, and return the best one's temperature."""
    config, loss = run.config, loss_of(run.config)
    train, val = Feed(run.data.train, state.device), Feed(run.data.val, state.device)
    while state.epoch < config.epochs and not is_out_of_patience(state, config.patience):
        if state.epoch and keep is not None and is_leader():
            keep(run.file(state, is_unfinished=True))
        record(state, _epoch(state, train, val, config, loss))
        if progress is not None:
            accuracy = state.history["val_accuracy"][-1]
            progress(state.epoch, config.epochs, f"epoch {state.epoch}: val {accuracy:.3f}")
    state.model.load_state_dict({n: torch.from_numpy(w) for n, w in state.best.items()})
    return fit_temperature(state.model, val, config.batch_size)


def _epoch(
    state: TrainingState, train: Feed, val: Feed, config: TrainingConfig, loss: Loss
) -> dict[str, float]:
    """Train for an epoch, validate, and return the numbers."""
    started = time.perf_counter()
    torch.manual_seed(_random_seed(config.seed, state.team.rank, state.epoch))
    rate = learning_rate(config, state.epoch)
    train_loss, train_accuracy = train_epoch(state, train, config, loss)
    validated = state.team.from_leader(validate(state.model, val, config.batch_size))
    state.epoch += 1
    return {
        "epoch": state.epoch,
        "train_loss": train_loss,
        "train_accuracy": train_accuracy,
        "val_loss": validated[0],
        "val_accuracy": validated[1],
        "learning_rate": rate,
        "seconds": time.perf_counter() - started,
    }


def _random_seed(seed: int, rank: int, epoch: int) -> int:
    """Return what an epoch's dropout is drawn by: another on each process, resumed or not."""
    return int(np.random.SeedSequence((seed, rank, epoch)).generate_state(1, np.uint64)[0])


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch inside the block; the caller's random state is as before afterwards."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
