"""From a store and a data set to a model file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any, cast

import torch

from avloc.artifacts import FeatureStore, ModelFile
from avloc.datasets import Dataset
from avloc.datasets.examples import Examples
from avloc.devices import choose_device
from avloc.errors import DatasetError
from avloc.models import Model, build, load_arrays, origin_of
from avloc.progress import Progress
from avloc.training.calibration import calibrate
from avloc.training.config import TrainingConfig
from avloc.training.loop import TrainingState, begin
from avloc.training.resume import resume, resume_arrays
from avloc.training.rounds import Course, feed_of, train_rounds
from avloc.training.splits import TrainingData, load_splits, with_kind_of
from avloc.training.statistics import fit_scaling
from avloc.training.supervision import resolved
from avloc.training.team import team_of


def fit(
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

    Two runs of one seed on the same CPU give the same weights, even if one was interrupted and
    resumed. On a GPU they agree up to rounding. Processes started by `torchrun` train together.

    Args:
        data: the result of `load_splits` for this configuration, if it was called already.
        unfinished: the last file of an interrupted training, to continue from.
        keep: called by the leader with the unfinished training before each further epoch.
        progress: called with (epochs done, the most epochs, "epoch 3: val 0.71"); self-training
            has twice the epochs, "round 2, epoch 3: val error 0.21".
    """
    config = config or TrainingConfig()
    dataset = with_kind_of(dataset, config)
    data = data or load_splits(store, dataset, config, progress)
    with team_of(choose_device(device)) as team, _seeded(config.seed, team.device):
        network = _built(model, dataset, data.train, options or {})
        config = resolved(config, data, network, dataset)
        as_file = partial(_model_file, store, dataset, data, model, config)
        if config.standardize:
            fit_scaling(network, data.statistics(team.device))
        if network.uses_mean_picture:
            data = data.pooled(progress if team.rank == 0 else None)
        state = begin(network.to(team.device), config, team)
        if unfinished is not None:
            resume(state, unfinished, as_file(state))

        def keep_state() -> None:
            if keep is not None:
                keep(as_file(state, resume=resume_arrays(state)))

        val = feed_of(data.val, network, config, team)
        train_rounds(state, Course(config, dataset.labels, data, val, keep_state, progress))
        load_arrays(network, state.best)
        network.knows_halves = config.modality_dropout > 0
        fitted = calibrate(network, val, config.batch_size, dataset.labels)
    numbers = {name: tuple(values.tolist()) for name, values in vars(fitted).items()}
    return as_file(state, **numbers)


def _model_file(
    store: FeatureStore,
    dataset: Dataset,
    data: TrainingData,
    name: str,
    config: TrainingConfig,
    state: TrainingState,
    **more: Any,
) -> ModelFile:
    """Return the training as it is, as a model file; ``more`` are further fields of it."""
    return ModelFile(
        name=name,
        config=state.model.config,
        weights=state.best,
        labels=dataset.labels,
        spec=store.spec,
        supervision=config.supervision,
        n_segments=data.train.n_segments,
        segment_seconds=data.train.videos[0].segment_seconds,
        metrics=state.metrics,
        seed=config.seed,
        data=data.describe(dataset)
        | origin_of(name)
        | {"selected_by": config.selected_by_in_words},
        training=asdict(config),
        history={name: list(column) for name, column in state.history.items()},
        **more,
    )


def _built(name: str, dataset: Dataset, examples: Examples, options: Mapping[str, object]) -> Model:
    """Build the model for these features; refuse one that uses a modality they all lack."""
    model = build(
        name,
        visual_channels=examples.visual_shape[-1],
        audio_channels=examples.audio_channels,
        n_classes=dataset.labels.n_logits,
        independent=not dataset.labels.is_exclusive,
        **cast(Any, dict(options)),
    )
    for modality, word in (("visual", "picture"), ("audio", "sound")):
        is_used = model.modalities in ("both", modality)
        if is_used and all(getattr(video, modality) is None for video in examples.videos):
            raise DatasetError(
                f"no training video has {word}, but the model uses it",
                dataset.root,
                hint="Set modalities to the other one, with where=false and which=false.",
            )
    return model


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch inside the block, and restore the caller's random state after it."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
