"""What ``avloc reproduce`` does: the paper's tables, and the study of inconsistency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from avloc.artifacts import Comparison
from avloc.datasets import find_boxes
from avloc.errors import UnknownNameError, UsageError
from avloc.options import Settings
from avloc.progress import Progress, silent
from avloc.stages.train import labelled_store
from avloc.stages.workspace import Workspace
from avloc.tables.comparing import compare
from avloc.tables.inconsistency import (
    INCONSISTENCY,
    SHARES,
    ShareData,
    make_shares,
    plan_share,
    read_shares,
)
from avloc.tables.plan import plan
from avloc.tables.recipes import (
    Recipe,
    RecipeRow,
    changed,
    make_data,
    read_recipe,
    recipe_path,
    table_rows,
)
from avloc.tables.runs import RunFailure, RunSet, run_all
from avloc.tables.share_results import result_of
from avloc.tables.share_tables import share_table, write_share_files
from avloc.tables.showing import comparison_table, write_comparison_files
from avloc.tables.table import Table

SUPERVISIONS = ("full", "weak")


@dataclass(frozen=True)
class Reproduction:
    """The result of `reproduce`: comparisons by table and supervision, tables' files, failures.

    ``tables`` are those to print.
    """

    comparisons: tuple[Comparison, ...]
    tables: tuple[Table, ...]
    written: tuple[Path, ...]
    failures: tuple[RunFailure, ...]


def reproduce(
    tables: Sequence[str] | str,
    *,
    on: str | None = None,
    pictures: Path | str | None = None,
    sounds: Path | str | None = None,
    seeds: int = 5,
    supervision: str | None = None,
    shares: str = SHARES,
    features: Path | str | None = None,
    set: Settings = (),
    jobs: int | None = None,
    device: str = "auto",
    dataset: Path | str | None = None,
    artifacts: Path | str | None = None,
    recipe: Recipe | None = None,
    progress: Progress | None = None,
) -> Reproduction:
    """Run a table of the paper, or the study of inconsistency.

    Every row is trained and evaluated with several seeds, and printed next to the paper's
    number. Finished runs are kept: after an interruption, run the same command again. Rows that
    two tables share are run once. The tables are written to the workspace's folder reproduce.

    The study makes the same clips with more and more seconds in which sound and picture disagree,
    trains the models on each share, and draws accuracy over the share.

    Args:
        tables: The paper's tables to run, one or several, or inconsistency.
        on: Make clips and extract them: drawn ones, ones from photographs and recordings, or
            those of a recipe file. Default: the workspace's features; for inconsistency, drawn.
        pictures: For ``on`` photos: photographs, one sub-folder per class.
        sounds: For ``on`` photos: recordings, one sub-folder per class.
        seeds: Runs per row, each with another seed.
        supervision: Train on the label of each segment, on that of the video only, or both in
            turn. Default: both; for inconsistency, full.
        shares: For inconsistency: percent of seconds in which sound and picture disagree,
            separated by commas.
        features: A feature store. Default: the workspace's.
        set: A training setting for all rows, MODEL.KEY=VALUE for the rows of one model, or
            synthesis.KEY=VALUE for the clips that are made.
        jobs: Runs at the same time. Default: one per core, one on a GPU.
        device: Where the networks run.
        dataset: The labels: a data set's folder, a manifest, or labels that you corrected (.csv,
            .eaf, .json). Default: the extracted data set.
        artifacts: The workspace folder. Default: ``$AVLOC_ARTIFACTS``, or ./artifacts.
        recipe: a recipe to run in place of the file of ``on``.
        progress: called with (done, total, what) through each step.

    Raises:
        UnknownNameError: there is no such table. ArtifactError: no features. DatasetError: no
        labels for them. OutputError: the tables cannot be written.
    """
    names = [tables] if isinstance(tables, str) else list(tables)
    rows = {name: table_rows(name) for name in names}
    is_study = INCONSISTENCY in names
    if is_study and (len(names) > 1 or features or dataset):
        raise UsageError(
            f"{INCONSISTENCY} makes its clips, so it is run without other tables or features",
            "Leave out the other tables, --features and --dataset.",
        )
    on = on or ("drawn" if is_study and recipe is None else None)
    kinds = _supervisions(supervision or ("full" if is_study else "full,weak"))
    percents = read_shares(shares)
    recipe = changed(recipe or read_recipe(recipe_path(on or "base")), set)
    workspace = Workspace.at(artifacts)
    if on is not None:
        workspace = Workspace(workspace.root / Path(on).stem)
    make = partial(make_data, pictures=pictures, sounds=sounds, progress=progress)
    run = partial(run_all, device=device, jobs=jobs, progress=progress or silent)
    if is_study:
        study = make_shares(recipe, percents, workspace.root / INCONSISTENCY, make)
        return _studied(study, rows[INCONSISTENCY], recipe, seeds, kinds, workspace, run)
    if recipe.synthesis is not None:
        data = workspace.root / "data" / workspace.root.name  # the folder names the data set
        make(recipe, data, workspace.root)
    store, labelled = labelled_store(Path(features or workspace.features), dataset)
    planned = {}
    for name in names:
        for kind in kinds:
            training = replace(recipe.training, supervision=kind)
            planned[name, kind] = plan(rows[name], training, seeds, store, labelled, recipe.models)
    # Each run once, and every run with one seed before the next seed: for early comparisons.
    runs = {run.key: run for of_table in planned.values() for run in of_table}
    folder = workspace.root / "reproduce"
    in_turn = sorted(runs.values(), key=lambda run: run.training.seed)
    data = Path(dataset or store.dataset_root)
    failures = run([RunSet(in_turn, store.folder, data, folder / "runs")])
    boxes = find_boxes(labelled.root)
    comparisons, written = [], []
    for (name, _), of_table in planned.items():
        comparison = compare(name, of_table, folder / "runs", store, labelled, boxes)
        stem = f"{name}-{comparison.supervision.replace(', ', '-')}"
        comparisons.append(comparison)
        written += write_comparison_files(folder / stem, comparison)
    printed = tuple(map(comparison_table, comparisons))
    return Reproduction(tuple(comparisons), printed, tuple(written), tuple(failures))


def _studied(
    shares: Sequence[ShareData],
    rows: Sequence[RecipeRow],
    recipe: Recipe,
    n_seeds: int,
    kinds: Sequence[str],
    workspace: Workspace,
    run: Callable[[Sequence[RunSet]], list[RunFailure]],
) -> Reproduction:
    """Run the study of inconsistency on its shares, and write its tables and figures."""
    planned = [
        (share, plan_share(share, rows, recipe, n_seeds, kind))
        for kind in kinds
        for share in shares
    ]
    failures = run([share.run_set(runs) for share, runs in planned])
    results = [result_of(share, runs) for share, runs in planned]
    printed, written = [], []
    for n in range(0, len(results), len(shares)):
        of_kind = results[n : n + len(shares)]
        printed.append(share_table(of_kind))
        written += write_share_files(workspace.root / "reproduce", of_kind)
    comparisons = tuple(result.comparison for result in results)
    return Reproduction(comparisons, tuple(printed), tuple(written), tuple(failures))


def _supervisions(text: str) -> Sequence[str]:
    kinds = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for kind in kinds:
        if kind not in SUPERVISIONS:
            raise UnknownNameError("supervision", kind, SUPERVISIONS)
    if not kinds:
        raise UsageError("no supervision is named", "Say full, weak, or full,weak.")
    return kinds
