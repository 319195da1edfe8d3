"""The stage ``reproduce``: a table of the paper on the features that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from avloc.artifacts import Comparison, FeatureStore
from avloc.datasets import find_boxes, load_dataset
from avloc.errors import UnknownNameError, UsageError
from avloc.progress import Progress
from avloc.recipes import read_recipe, recipe_path, table_rows
from avloc.reproduction.comparing import compare
from avloc.reproduction.plan import plan
from avloc.reproduction.runs import Place, RunFailure, run_all
from avloc.reproduction.showing import write_comparison_files
from avloc.stages import Workspace
from avloc.training import TrainingConfig

SUPERVISIONS = ("full", "weak")


@dataclass(frozen=True)
class Reproduction:
    """What a reproduction found.

    Attributes:
        comparisons: one a supervision.
        written: the tables' files.
        failures: the runs that did not come to their end.
    """

    comparisons: tuple[Comparison, ...]
    written: tuple[Path, ...]
    failures: tuple[RunFailure, ...]


def reproduce(
    table: str,
    *,
    artifacts: Path | str | None = None,
    features: Path | str | None = None,
    dataset: Path | str | None = None,
    seeds: int = 5,
    supervision: str = "full,weak",
    training: TrainingConfig | None = None,
    models: Mapping[str, Mapping[str, object]] | None = None,
    device: str = "auto",
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Reproduction:
    """Run every row of a table over seeds, and write ours beside the paper's.

    What is done is kept under ``reproduce/runs``: an interrupted reproduction goes on, one with
    more seeds adds to it, and rows that two tables share are run once.

    Args:
        table: ``table1`` or ``table2``.
        artifacts: the workspace; ``$AVLOC_ARTIFACTS`` or ``./artifacts`` by default.
        features: the feature store; the workspace's by default.
        dataset: where the labels are; by default the data set the features came from.
        seeds: how many a row.
        supervision: ``full``, ``weak`` or both.
        training: as in ``pipelines/base.toml`` by default; weak labels among it.
        models: what every row changes in a model, by the model's name.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        jobs: processes side by side; one a core by default, one on a GPU.
        progress: called with (runs done, runs, what).

    Raises:
        UnknownNameError: there is no such table. ArtifactError: no features. DatasetError: no
        labels for them. OutputError: the tables cannot be written.
    """
    rows, kinds = table_rows(table), _supervisions(supervision)
    workspace = Workspace.at(artifacts)
    store = FeatureStore.open(Path(features) if features else workspace.features)
    root = Path(dataset or store.dataset_root or _no_labels(store))
    labelled = load_dataset(root)
    training = training or read_recipe(recipe_path("base")).training
    planned = {
        kind: plan(rows, replace(training, supervision=kind), seeds, store, labelled, models)
        for kind in kinds
    }
    folder = workspace.root / "reproduce"
    place = Place(store.root, root, folder / "runs", device)
    # both supervisions of a seed before the next seed: what is there can be compared early
    runs = sorted((run for of_kind in planned.values() for run in of_kind), key=lambda r: r.seed)
    failures = run_all(runs, place, jobs=jobs, progress=progress)
    comparisons = [
        compare(table, of_kind, place.folder, store, labelled, find_boxes(labelled.root))
        for of_kind in planned.values()
    ]
    written = [
        path
        for comparison in comparisons
        for path in write_comparison_files(folder / _stem(comparison), comparison)
    ]
    return Reproduction(tuple(comparisons), tuple(written), tuple(failures))


def _supervisions(text: str) -> Sequence[str]:
    kinds = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for kind in kinds:
        if kind not in SUPERVISIONS:
            raise UnknownNameError("supervision", kind, SUPERVISIONS)
    if not kinds:
        raise UsageError("no supervision is named", "Say full, weak, or full,weak.")
    return kinds


def _stem(comparison: Comparison) -> str:
    return f"{comparison.table}-{comparison.supervision.replace(', ', '-')}"


def _no_labels(store: FeatureStore) -> str:
    raise UsageError(
        f"{store.root} was extracted from plain videos, which have no labels",
        "Name the labels: --dataset with a data set's root or a manifest.",
    )
