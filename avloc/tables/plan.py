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
"""The version of how models are built and trained, apart from options. Raise it with any change
that changes a result; then every run of an older version is done again."""
RULES_OF_MODELS = {"cam": 1}  # its map is of its own segment
"""What is added to `RULES` for a model that alone has changed."""

_SIZES = {"visual_channels": 1, "audio_channels": 1, "n_classes": 2}  # follow from the data


@dataclass(frozen=True)
class PlannedRun:
    """One row under one supervision with one seed.

    ``key`` hashes all that the result depends on: `RULES`, row, model and training with their
    defaults, features, data.
    """

    row: RecipeRow
    options: Mapping[str, object]  # that differ from the model's defaults
    training: TrainingConfig  # with supervision and seed
    key: str

    def model_path(self, folder: Path) -> Path:
        """Return the path of its model."""
        training = self.training
        labels = f"-{training.weak_labels}" if training.supervision == "weak" else ""
        name = f"{self.row.name}-{training.supervision}{labels}-seed{training.seed}-{self.key}.h5"
        return folder / name

    def predictions_path(self, folder: Path) -> Path:
        """Return the path of its predictions on test, the last file that a run writes."""
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

    ``models`` holds what every row changes in a model, by the model's name. Weak labels that are
    ``auto`` become the same for all rows: results of two kinds are never in one table.
    """
    training = _with_weak_labels(training, rows, dataset)
    # Features that are added change the result too.
    grid = [dataset.n_segments, dataset.is_row_alone]
    of_rows = [asdict(row) for row in dataset.rows]
    data = _digest([store.fingerprint, sorted(store.video_ids()), of_rows, grid])
    runs = []
    for seed in range(training.seed, training.seed + n_seeds):
        seeded = replace(training, seed=seed)
        for row in rows:
            options = {**(models or {}).get(row.model, {}), **row.options}
            resolved = _resolved(row.model, options)
            rules = RULES + RULES_OF_MODELS.get(row.model, 0)
            key = _digest([rules, row.name, row.model, resolved, _of_training(seeded), data])[:12]
            runs.append(PlannedRun(row, options, seeded, key))
    return runs


def _with_weak_labels(
    training: TrainingConfig, rows: Sequence[RecipeRow], dataset: Dataset
) -> TrainingConfig:
    """Say presence for ``auto`` where labels have no times or a model has pooling of its own."""
    if not training.is_weak or training.weak_labels != "auto":
        return training
    needs_none = any(row.is_whole_video for row in dataset.rows) or any(
        model_class(row.model).has_pooling for row in rows
    )
    return replace(training, weak_labels="presence" if needs_none else "proportion")


def _of_training(config: TrainingConfig) -> Mapping[str, object]:
    """Return the training's options, without one that full supervision does not have."""
    return {k: v for k, v in asdict(config).items() if config.is_weak or k != "self_training"}


def _resolved(model: str, options: Mapping[str, object]) -> Mapping[str, object]:
    """Return every option of a model, so that a changed default changes the key."""
    try:
        return asdict(options_from(model_class(model).Config, {**_SIZES, **options}))
    except UsageError:
        return options  # the run will refuse them, and be reported as failed


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
