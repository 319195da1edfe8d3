"""The stage ``reproduce``: a table of the paper on the features that are there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from avloc.artifacts import Comparison
from avloc.datasets import find_boxes, synthesize
from avloc.errors import AvlocError, UnknownNameError, UsageError
from avloc.options import Settings
from avloc.progress import Progress
from avloc.stages.extract import extract
from avloc.stages.train import labelled_store
from avloc.stages.workspace import Workspace
from avloc.tables.comparing import compare
from avloc.tables.plan import PlannedRun, plan
from avloc.tables.recipes import Recipe, changed, read_recipe, recipe_path, table_rows
from avloc.tables.runs import Place, RunFailure, run_all
from avloc.tables.showing import write_comparison_files

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
        prepare(recipe, workspace, pictures=pictures, sounds=sounds, progress=progress)
    store, labelled = labelled_store(Path(features or workspace.features), dataset)
    planned = {
        (name, kind): plan(
            rows[name],
            replace(recipe.training, supervision=kind),
            seeds,
            store,
            labelled,
            recipe.models,
        )
        for name in names
        for kind in kinds
    }
    folder = workspace.root / "reproduce"
    place = Place(store.root, Path(dataset or store.dataset_root), folder / "runs", device)
    failures = run_all(_in_order(planned.values()), place, jobs=jobs, progress=progress)
    boxes = find_boxes(labelled.root)
    comparisons = tuple(
        compare(name, runs, place.folder, store, labelled, boxes)
        for (name, _), runs in planned.items()
    )
    return Reproduction(comparisons, _written(folder, comparisons), tuple(failures))


def _in_order(tables: Iterable[Sequence[PlannedRun]]) -> list[PlannedRun]:
    """Return each run once, everything with one seed before the next seed.

    So what is there can be compared early.
    """
    distinct = {run.key: run for of_table in tables for run in of_table}
    return sorted(distinct.values(), key=lambda run: run.seed)


def _written(folder: Path, comparisons: Sequence[Comparison]) -> tuple[Path, ...]:
    return tuple(
        path
        for comparison in comparisons
        for path in write_comparison_files(folder / _stem(comparison), comparison)
    )


def prepare(
    recipe: Recipe,
    workspace: Workspace,
    *,
    pictures: Path | str | None = None,
    sounds: Path | str | None = None,
    progress: Progress | None = None,
) -> None:
    """Make a recipe's clips and extract their features; what is there is kept.

    Raises:
        UsageError: it needs photographs and recordings, and they are not named.
        AvlocError: a clip cannot be made, or its features cannot be extracted.
    """
    if recipe.needs_media and not (pictures and sounds):
        raise UsageError(
            "this recipe makes its clips of photographs and recordings",
            "Name both: --pictures DIR --sounds DIR, each with a sub-folder a class.",
        )
    data = workspace.root / "data" / workspace.root.name  # a data set is called by its folder
    places = [Path(place) if place else None for place in (pictures, sounds)]
    synthesize(data, recipe.synthesis, pictures=places[0], sounds=places[1], progress=progress)
    done = extract(data, artifacts=workspace.root, progress=progress, **recipe.features)
    if done.report.failures:
        raise AvlocError(f"a clip failed: {done.report.failures[0].reason}")


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
