"""From a store and a data set to a model file."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, cast

import torch

from avloc.artifacts import FeatureStore, ModelFile
from avloc.datasets import Dataset
from avloc.datasets.batches import Examples
from avloc.devices import choose_device
from avloc.errors import DatasetError
from avloc.models import Model, build
from avloc.progress import Progress
from avloc.training.config import TrainingConfig
from avloc.training.loop import (
    TrainingState,
    begin,
    is_out_of_patience,
    record,
    train_epoch,
    validate,
)
from avloc.training.losses import LOSSES
from avloc.training.splits import TrainingData, load_splits
from avloc.training.statistics import fit_scaling


def train(
    store: FeatureStore,
    dataset: Dataset,
    *,
    model: str = "cman",
    options: Mapping[str, object] | None = None,
    config: TrainingConfig | None = None,
    device: str | torch.device = "auto",
    progress: Progress | None = None,
) -> ModelFile:
    """Train a model and keep the epoch that is best on validation.

    Two runs of one seed on one device give the same weights.

    Args:
        store: features of the data set's videos; a video without features is left out.
        dataset: rows, labels and splits.
        model: the model's name.
        options: its own options, as values or text.
        config: how to train.
        device: ``auto``, ``cpu``, ``cuda``, ...
        progress: called with (epochs done, the most epochs, "epoch 3: val 0.71").

    Raises:
        UnknownNameError: no model, option or choice has that name.
        UsageError: an option's value cannot be.
        DatasetError: there is nothing to train on, or nothing to validate on.
        AvlocError: the loss is no number any more.
    """
    config = config or TrainingConfig()
    place = choose_device(device)
    data = load_splits(store, dataset, config, progress)
    with _seeded(config.seed, place):
        network = _built(model, dataset, data.train, options or {})
        if config.standardize:
            fit_scaling(network, data.train)
        state = _fit(network.to(place), data, config, progress)
    return ModelFile(
        name=model,
        config=state.model.config,
        weights=state.best,
        labels=dataset.labels,
        spec=store.spec,
        fingerprint=store.fingerprint,
        supervision=config.supervision,
        n_segments=data.train.n_segments,
        segment_seconds=data.train.videos[0].segment_seconds,
        metrics=state.metrics,
        seed=config.seed,
        data=data.describe(dataset),
        training=asdict(config),
        history=state.history,
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
    model: Model, data: TrainingData, config: TrainingConfig, progress: Progress | None
) -> TrainingState:
    """Run epochs until the last, or until patience ends."""
    state = begin(model, config)
    loss = LOSSES[config.supervision]
    while state.epoch < config.epochs and not is_out_of_patience(state, config.patience):
        started = time.perf_counter()
        rate = state.optimizer.param_groups[0]["lr"]
        train_loss, train_accuracy = train_epoch(state, data.train, config, loss)
        val_loss, val_accuracy = validate(model, data.val, config.batch_size)
        state.schedule.step()
        state.epoch += 1
        numbers: dict[str, float] = {
            "epoch": state.epoch,
            "train_loss": train_loss,
            "train_accuracy": train_accuracy,
            "val_loss": val_loss,
            "val_accuracy": val_accuracy,
            "learning_rate": rate,
            "seconds": time.perf_counter() - started,
        }
        record(state, numbers)
        if progress is not None:
            progress(state.epoch, config.epochs, f"epoch {state.epoch}: val {val_accuracy:.3f}")
    return state


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch inside the block; the caller's random state is as before afterwards."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
