"""What ``avloc reproduce`` does: a table of the paper on the workspace's features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from avloc.artifacts import Comparison
from avloc.datasets import find_boxes
from avloc.errors import UnknownNameError, UsageError
from avloc.options import Settings
from avloc.progress import Progress, silent
from avloc.stages.train import labelled_store
from avloc.stages.workspace import Workspace
from avloc.tables.comparing import compare
from avloc.tables.plan import plan
from avloc.tables.recipes import Recipe, changed, make_data, read_recipe, recipe_path, table_rows
from avloc.tables.runs import RunFailure, run_all
from avloc.tables.showing import write_comparison_files

SUPERVISIONS = ("full", "weak")


@dataclass(frozen=True)
class Reproduction:
    """The result of `reproduce`: comparisons by table and supervision, tables' files, failures."""

    comparisons: tuple[Comparison, ...]
    written: tuple[Path, ...]
    failures: tuple[RunFailure, ...]


def reproduce(
    tables: Sequence[str] | str,
    *,
    on: str | None = None,
    pictures: Path | str | None = None,
    sounds: Path | str | None = None,
    seeds: int = 5,
    supervision: str = "full,weak",
    features: Path | str | None = None,
    set: Settings = (),
    jobs: int | None = None,
    device: str = "auto",
    dataset: Path | str | None = None,
    artifacts: Path | str | None = None,
    recipe: Recipe | None = None,
    progress: Progress | None = None,
) -> Reproduction:
    """Run a table of the paper, row by row.

    Every row is trained and evaluated with several seeds, and printed next to the paper's
    number. Finished runs are kept: after an interruption, run the same command again. Rows that
    two tables share are run once. The tables are written to the workspace's folder reproduce.

    Args:
        tables: The paper's tables to run, one or several.
        on: Make clips and extract them: drawn ones, ones from photographs and recordings, or
            those of a recipe file. Default: the workspace's features.
        pictures: For ``on`` photos: photographs, one sub-folder per class.
        sounds: For ``on`` photos: recordings, one sub-folder per class.
        seeds: Runs per row, each with another seed.
        supervision: Train on the label of each segment, on that of the video only, or both in
            turn.
        features: A feature store. Default: the workspace's.
        set: A training setting for all rows, or MODEL.KEY=VALUE for the rows of one model.
        jobs: Runs at the same time. Default: one per core, one on a GPU.
        device: Where the networks run.
        dataset: The labels: a data set's folder, or a manifest. Default: the extracted data set.
        artifacts: The workspace folder. Default: ``$AVLOC_ARTIFACTS``, or ./artifacts.
        recipe: a recipe to run in place of the file of ``on``.
        progress: called with (done, total, what) through each step.

    Raises:
        UnknownNameError: there is no such table. ArtifactError: no features. DatasetError: no
        labels for them. OutputError: the tables cannot be written.
    """
    names = [tables] if isinstance(tables, str) else list(tables)
    rows = {name: table_rows(name) for name in names}
    kinds = _supervisions(supervision)
    recipe = changed(recipe or read_recipe(recipe_path(on or "base")), set)
    workspace = Workspace.at(artifacts)
    if on is not None:
        workspace = Workspace(workspace.root / Path(on).stem)
    if recipe.synthesis is not None:
        data = workspace.root / "data" / workspace.root.name  # the folder names the data set
        make_data(recipe, data, workspace.root, pictures=pictures, sounds=sounds, progress=progress)
    store, labelled = labelled_store(Path(features or workspace.features), dataset)
    planned = {}
    for name in names:
        for kind in kinds:
            training = replace(recipe.training, supervision=kind)
            planned[name, kind] = plan(rows[name], training, seeds, store, labelled, recipe.models)
    # Each run once, and every run with one seed before the next seed: for early comparisons.
    runs = {run.key: run for of_table in planned.values() for run in of_table}
    folder = workspace.root / "reproduce"
    failures = run_all(
        sorted(runs.values(), key=lambda run: run.training.seed),
        store.root,
        Path(dataset or store.dataset_root),
        folder / "runs",
        device=device,
        jobs=jobs,
        progress=progress or silent,
    )
    boxes = find_boxes(labelled.root)
    comparisons, written = [], []
    for (name, _), of_table in planned.items():
        comparison = compare(name, of_table, folder / "runs", store, labelled, boxes)
        stem = f"{name}-{comparison.supervision.replace(', ', '-')}"
        comparisons.append(comparison)
        written += write_comparison_files(folder / stem, comparison)
    return Reproduction(tuple(comparisons), tuple(written), tuple(failures))


def _supervisions(text: str) -> Sequence[str]:
    kinds = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for kind in kinds:
        if kind not in SUPERVISIONS:
            raise UnknownNameError("supervision", kind, SUPERVISIONS)
    if not kinds:
        raise UsageError("no supervision is named", "Say full, weak, or full,weak.")
    return kinds
