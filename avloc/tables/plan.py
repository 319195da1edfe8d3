"""What has to be run for a table, each run under a name that says all that decides it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from avloc.artifacts import FeatureStore
from avloc.datasets import Dataset
from avloc.errors import UsageError
from avloc.models import model_class
from avloc.options import options_from
from avloc.tables.recipes import RecipeRow
from avloc.training import TrainingConfig

RULES = 2
"""The version of what no option says: how models are built and trained. Raise it when that
changes a result; every run kept under an older one is then done again."""

_SIZES = {"visual_channels": 1, "audio_channels": 1, "n_classes": 2}  # follow from the data


@dataclass(frozen=True)
class PlannedRun:
    """One row under one supervision with one seed.

    Attributes:
        row: the table's row.
        options: of its model, all that differs from the defaults.
        training: supervision and seed among it.
        key: a hash of all that the result depends on: `RULES`, row, model and training with
            their defaults, features, data.
    """

    row: RecipeRow
    options: Mapping[str, object]
    training: TrainingConfig
    key: str

    @property
    def seed(self) -> int:
        """Of the training."""
        return self.training.seed

    def model_path(self, folder: Path) -> Path:
        """Return where its model goes."""
        training = self.training
        labels = f"-{training.weak_labels}" if training.supervision == "weak" else ""
        name = f"{self.row.name}-{training.supervision}{labels}-seed{self.seed}-{self.key}.h5"
        return folder / name

    def predictions_path(self, folder: Path) -> Path:
        """Return where its predictions on test go; written last, so they say it is done."""
        return self.model_path(folder).with_suffix(".predictions.h5")


def plan(
    rows: Sequence[RecipeRow],
    training: TrainingConfig,
    n_seeds: int,
    store: FeatureStore,
    dataset: Dataset,
    models: Mapping[str, Mapping[str, object]] | None = None,
) -> list[PlannedRun]:
    """Return the runs of a table, all rows with the first seed before any with the second.

    Args:
        rows: the table's.
        training: the same for all, its seed the first.
        n_seeds: how many seeds a row has.
        store: the features.
        dataset: rows and splits.
        models: what every row changes in a model, by the model's name.
    """
    runs = []
    data = _data_digest(store, dataset)
    for seed in range(training.seed, training.seed + n_seeds):
        seeded = replace(training, seed=seed)
        for row in rows:
            options = {**(models or {}).get(row.model, {}), **row.options}
            resolved = _resolved(row.model, options)
            key = _digest([RULES, row.name, row.model, resolved, asdict(seeded), data])[:12]
            runs.append(PlannedRun(row, options, seeded, key))
    return runs


def _resolved(model: str, options: Mapping[str, object]) -> Mapping[str, object]:
    """Return every option of a model, so that a default that changes changes the key."""
    try:
        return asdict(options_from(model_class(model).Config, {**_SIZES, **options}))
    except UsageError:
        return options  # the run will refuse them, and be reported as failed


def _data_digest(store: FeatureStore, dataset: Dataset) -> str:
    """Hash what is trained and tested on; features that were added make other results."""
    rows = [asdict(row) for row in dataset.rows]
    grid = [dataset.n_segments, dataset.is_row_alone]
    return _digest([store.fingerprint, sorted(store.video_ids()), rows, grid])


def _digest(of: object) -> str:
    return hashlib.sha256(json.dumps(of, sort_keys=True, default=str).encode()).hexdigest()
