"""Which labels a training uses, and how: what depends on the data and the model."""

from __future__ import annotations

from dataclasses import replace

from avloc.datasets import Dataset
from avloc.datasets.examples import Examples
from avloc.errors import DatasetError, UsageError
from avloc.models import Model
from avloc.training.config import TrainingConfig
from avloc.training.splits import TrainingData

_BATCH = 64  # windows
_STEPS = 50  # of an epoch: with a tenth of them a model learnt less (BENCHMARKS)
_PRESENCE = "Train with supervision=weak and weak_labels=presence, or add the times of events."


def resolved(
    config: TrainingConfig, data: TrainingData, model: Model | type[Model], dataset: Dataset
) -> TrainingConfig:
    """Return a configuration with a batch size, whose weak supervision no longer says ``auto``.

    A resolved configuration is returned as it is.

    Raises:
        DatasetError: labels have no times, and the training or the choice of the epoch needs them.
        UsageError: the weak label and the pooling do not fit each other or the model.
    """
    _check_times(config, data, dataset)
    if not config.batch_size:
        config = replace(config, batch_size=_batch_size(data.train, model))
    if not config.is_weak:
        return config
    label = config.weak_labels
    if label == "auto":
        needs_none = model.has_pooling or _n_without_times(data.train, data.val)
        label = "presence" if needs_none else "proportion"
    is_presence = label == "presence"
    pooling, splice, isolate = config.pooling, config.splice, config.isolate
    if pooling == "auto" and not model.has_pooling:
        pooling = "topk" if is_presence else "count"
    if splice == "auto":
        splice = "on" if is_presence and not model.has_pooling else "off"
    if isolate == "auto":
        isolate = "on" if pooling == "count" else "off"
    self_training = config.self_training
    if self_training == "auto":
        self_training = "on" if pooling == "count" else "off"
    chosen = replace(
        config,
        weak_labels=label,
        pooling=pooling,
        isolate=isolate,
        self_training=self_training,
        splice=splice,
    )
    _check_fit(chosen, model)
    return chosen


def _batch_size(examples: Examples, model: Model | type[Model]) -> int:
    """Return 64, or fewer so that windows of different lengths give enough steps an epoch."""
    lengths = {len(entry.targets) for entry in examples.entries}
    if len(lengths) == 1 or not model.takes_padding:
        return _BATCH
    return min(_BATCH, max(1, len(examples) // _STEPS))


def _check_fit(config: TrainingConfig, model: Model | type[Model]) -> None:
    """Refuse settings that contradict each other or the model."""
    is_presence = config.weak_labels == "presence"
    if model.has_pooling and not (is_presence and config.pooling == "auto"):
        raise UsageError(
            "the model pools the video itself, and is trained on which labels occur",
            "Set weak_labels=presence, and leave out pooling.",
        )
    if config.pooling == "count" and is_presence:
        raise UsageError(
            "pooling=count needs the share of time of each label",
            "Set weak_labels=proportion, or pooling=topk.",
        )
    for name in ("isolate", "self_training"):
        if getattr(config, name) == "on" and config.pooling != "count":
            raise UsageError(
                f"{name}=on has no effect with pooling={config.pooling}",
                f"Set pooling=count, or leave out {name}.",
            )


def _check_times(config: TrainingConfig, data: TrainingData, dataset: Dataset) -> None:
    n_train, n_val = _n_without_times(data.train), _n_without_times(data.val)
    if not config.is_weak and n_train == len(data.train):
        raise DatasetError(
            "no training video has labels with times, which full supervision needs",
            dataset.root,
            hint=_PRESENCE,
        )
    if config.is_weak and config.weak_labels == "proportion" and n_train + n_val:
        raise DatasetError(
            f"{n_train + n_val} videos have labels without times, and so no proportion",
            dataset.root,
            hint="Set weak_labels=presence, or add the times of events.",
        )
    if n_val == len(data.val) and (config.selected_by == "segments" or not config.is_weak):
        raise DatasetError(
            "no validation video has labels with times, which choose the epoch",
            dataset.root,
            hint="Leave out select_by, or add the times of events."
            if config.is_weak
            else _PRESENCE,
        )


def _n_without_times(*parts: Examples) -> int:
    entries = [entry for examples in parts for entry in examples.entries]
    return sum(not entry.targets.scored.any() for entry in entries)
