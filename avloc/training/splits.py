"""The training and validation examples."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch

from avloc.artifacts import FeatureStore
from avloc.artifacts.store_notes import notes_folder
from avloc.datasets import Dataset
from avloc.datasets.examples import Examples, load_examples
from avloc.datasets.pooled import pooled
from avloc.errors import DatasetError
from avloc.labels import IGNORED, LabelKind, LabelSet
from avloc.progress import Progress
from avloc.training.config import TrainingConfig
from avloc.training.statistics import ChannelStatistics, statistics_of


@dataclass(frozen=True)
class TrainingData:
    """Training examples, and the validation examples that choose the epoch."""

    train: Examples
    val: Examples
    selection: str
    """The source of ``val``: ``val split``, ``held out`` (it shares no video), ``TEST split``."""

    notes: Path | None = None
    """The folder of the store's notes, where statistics are kept."""
    _statistics: dict[str, ChannelStatistics] = field(default_factory=dict, compare=False)
    _pooled: list[TrainingData] = field(default_factory=list, compare=False)

    def statistics(self, device: torch.device) -> ChannelStatistics:
        """Return the features' mean and deviation, measured once for all models."""
        if device.type not in self._statistics:
            self._statistics[device.type] = statistics_of(self.train, self.notes, device)
        return self._statistics[device.type]

    def pooled(self, progress: Progress | None = None) -> TrainingData:
        """Return the data with maps of 1 x 1, read once for all models (`pooled`)."""
        if not self._pooled:
            train, val = (pooled(part, progress) for part in (self.train, self.val))
            self._pooled.append(replace(self, train=train, val=val, _pooled=[]))
        return self._pooled[0]

    @property
    def most_labels(self) -> int:
        """The most labels of a training or validation row."""
        entries = (*self.train.entries, *self.val.entries)
        return max(int(entry.present.sum()) for entry in entries)

    def describe(self, dataset: Dataset) -> dict[str, object]:
        """Return the values that a model file stores about its data."""
        held_out = sorted(set(self.val.video_ids)) if self.selection == "held out" else []
        unreadable = (*self.train.unreadable, *self.val.unreadable)
        first = {"first_unreadable": unreadable[0]} if unreadable else {}
        return first | {
            "dataset": dataset.name,
            "selection": self.selection,
            "n_train_rows": len(self.train),
            "n_val_rows": len(self.val),
            "n_train_missing": len(self.train.missing),
            "n_val_missing": len(self.val.missing),
            "n_unreadable": len(unreadable),
            "held_out_videos": held_out,
            "majority_label": self._majority_label(dataset.labels),
        }

    def _majority_label(self, labels: LabelSet) -> str:
        """Return the most frequent label of the training segments, the baseline of tables.

        Of exclusive labels it may be background; of videos without times their labels count.
        """
        targets = [entry.targets for entry in self.train.entries]
        if labels.is_exclusive:
            classes = np.concatenate([of.classes for of in targets])
            counts = np.bincount(classes[classes != IGNORED], minlength=labels.n_classes)
        else:
            counts = np.sum([of.events[of.scored].sum(axis=0) for of in targets], axis=0)
        if not counts.any():
            counts = np.sum([entry.present for entry in self.train.entries], axis=0)
        return labels.all_names[int(counts.argmax())] if counts.any() else ""


def with_kind_of(dataset: Dataset, config: TrainingConfig) -> Dataset:
    """Return a data set whose label set has the kind that the configuration asks for."""
    if config.labels == "auto":
        return dataset
    kind = cast(LabelKind, config.labels)
    return replace(dataset, labels=replace(dataset.labels, kind=kind))


def load_splits(
    store: FeatureStore,
    dataset: Dataset,
    config: TrainingConfig,
    progress: Progress | None = None,
) -> TrainingData:
    """Load training and validation examples.

    Without validation rows, a share of the training videos is held out, drawn by
    ``config.hold_out_seed``. ``config.select`` may name the test split instead, as most
    published numbers do; the model file records it.
    """
    dataset = with_kind_of(dataset, config)
    notes = notes_folder(store.folder)
    present = {row.split for row in dataset.rows}
    training_split = "" if present == {""} else "train"
    train = load_examples(store, dataset, training_split, window=config.window, progress=progress)
    if config.select == "val" and "val" not in present:
        return replace(_held_out(train, dataset, config), notes=notes)
    window = train.n_segments
    val = load_examples(store, dataset, config.select, window=window, progress=progress)
    selection = "val split" if config.select == "val" else "TEST split"
    return TrainingData(train, val, selection, notes)


def _held_out(examples: Examples, dataset: Dataset, config: TrainingConfig) -> TrainingData:
    video_ids = sorted(set(examples.video_ids))
    if len(video_ids) < 2:
        raise DatasetError(
            f"{len(video_ids)} video with features cannot be both trained on and validated on",
            dataset.root,
            hint="Extract more videos, or add validation rows.",
        )
    n_val = min(max(1, round(config.hold_out * len(video_ids))), len(video_ids) - 1)
    drawn = np.random.default_rng(config.hold_out_seed).permutation(video_ids)
    val = examples.of_videos(frozenset(drawn[:n_val].tolist()))
    train = examples.of_videos(frozenset(drawn[n_val:].tolist()))
    return TrainingData(train, replace(val, missing=(), unreadable=()), "held out")
