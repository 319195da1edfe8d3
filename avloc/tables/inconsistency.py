"""The study of inconsistency: the same clips with more and more seconds of disagreement.

Of each share a data set is made, features are extracted, and every model is trained on it and
tested on it. Everything but the disagreement is equal: `avloc.datasets.synthetic.disagreement`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from avloc.artifacts import FeatureStore
from avloc.datasets import Dataset
from avloc.errors import UsageError
from avloc.stages.train import labelled_store
from avloc.stages.workspace import Workspace
from avloc.tables.plan import PlannedRun, plan
from avloc.tables.recipes import Recipe, RecipeRow
from avloc.tables.runs import RunSet

INCONSISTENCY = "inconsistency"
SHARES = "0,25,50,75,100"
"""Percent of the seconds."""


@dataclass(frozen=True)
class ShareData:
    """The data of a share, and where its runs go."""

    percent: float
    store: FeatureStore
    dataset: Dataset
    folder: Path

    def run_set(self, runs: Sequence[PlannedRun]) -> RunSet:
        """Return runs on these data. Keys do not tell shares apart: each has its own folder."""
        return RunSet(runs, self.store.folder, self.dataset.root, self.folder)


def read_shares(text: str) -> list[float]:
    """Read percentages that are separated by commas, in rising order; a UsageError if wrong."""
    try:
        shares = sorted({float(part) for part in text.split(",") if part.strip()})
    except ValueError:
        shares = []
    if not shares or not all(0 <= share <= 100 for share in shares):
        raise UsageError(
            f"{text!r:.60} does not name shares of seconds",
            f"Give percentages from 0 to 100, for example {SHARES}.",
        )
    return shares


def make_shares(
    recipe: Recipe,
    percents: Sequence[float],
    root: Path,
    make: Callable[[Recipe, Path, Path], Dataset],
) -> list[ShareData]:
    """Make the clips and features of every share in folders of ``root``; existing ones are kept.

    ``make`` makes a recipe's clips in a folder and their features in a workspace.
    """
    if recipe.synthesis is None:
        raise UsageError(
            "the study of inconsistency makes its clips, and this recipe makes none",
            "Name one that does: --on drawn, or --on photos.",
        )
    shares = []
    for percent in percents:
        name = f"share-{percent:g}"
        synthesis = replace(recipe.synthesis, inconsistent_seconds=percent / 100)
        workspace = Workspace(root / name)
        data = workspace.root / "data" / name  # the folder names the data set
        make(replace(recipe, synthesis=synthesis), data, workspace.root)
        store, dataset = labelled_store(workspace.features, data)
        shares.append(ShareData(percent, store, dataset, workspace.root / "runs"))
    return shares


def plan_share(
    share: ShareData, rows: Sequence[RecipeRow], recipe: Recipe, n_seeds: int, supervision: str
) -> list[PlannedRun]:
    """Return the runs of a share."""
    training = replace(recipe.training, supervision=supervision)
    return plan(rows, training, n_seeds, share.store, share.dataset, recipe.models)
