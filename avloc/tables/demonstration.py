"""The whole product on data it makes itself: clips, features, models, events, a report."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from avloc.artifacts import write_text
from avloc.errors import OutputError
from avloc.export.marks import refuse_foreign
from avloc.progress import Progress
from avloc.stages.evaluate import evaluate
from avloc.stages.localize.run import localize
from avloc.stages.train import train
from avloc.tables.numbers import accuracy_table, class_table, spatial_table
from avloc.tables.recipes import make_data, read_recipe, recipe_path, step
from avloc.tables.table import Table

_N_SHOWN_CLIPS = 3


@dataclass(frozen=True)
class Demo:
    """The report page, heat-map videos, ``results.json`` and tables of a demo."""

    report: Path
    heatmaps: tuple[Path, ...]
    results: Path
    tables: tuple[Table, ...]


def run_demo(folder: Path | str = "demo", progress: Progress | None = None) -> Demo:
    """Run every step on artificial clips.

    It runs synth, extract, train, eval and localize with heat maps, and writes an HTML report.
    Clips and features of an earlier run are kept.

    Args:
        folder: The folder to write.
        progress: called with (done, total, what) through each step in turn.

    Raises:
        OutputError: the folder cannot be written. DependencyError: the extra ``embedded``,
        which brings the visual weights, is not installed.
    """
    folder = Path(folder)
    report, results = folder / "report.html", folder / "results.json"
    refuse_foreign(report)
    if results.exists() and not report.exists():  # the demo writes the report first
        raise OutputError(f"{results} exists and was not written by avloc", "Move it away.")
    recipe = read_recipe(recipe_path("demo"))
    artifacts = folder / "artifacts"
    dataset = make_data(recipe, folder / "data", artifacts, progress=progress)
    evaluated = {}
    for row in recipe.rows:
        model = train(
            artifacts=artifacts,
            model=row.model,
            name=row.name,
            set={**asdict(recipe.training), **row.options},
            progress=step(progress, f"training: {row.title}"),
        )
        evaluated[row.title] = evaluate(artifacts=artifacts, model=model.path)
    best = evaluated[recipe.rows[0].title]
    # Good or bad: the first clips of the test split.
    shown = list(dict.fromkeys(best.predictions.video_ids))[:_N_SHOWN_CLIPS]
    answers = localize(
        [dataset.videos[video_id] for video_id in shown],
        model=artifacts / "models" / f"{recipe.rows[0].name}.h5",
        heatmap=True,
        report=report,
        format=["csv"],
        out=folder / "localizations",
        dataset=folder / "data",
        progress=step(progress, "heat maps"),
    )
    for answer in answers:
        if answer.error is not None:
            raise answer.error
    assert best.spatial is not None
    spatial = best.spatial["half"]
    numbers = {row.name: evaluated[row.title].evaluation.to_dict() for row in recipe.rows}
    numbers["spatial"] = asdict(spatial)
    write_text(results, json.dumps(numbers, indent=1) + "\n")
    files = [path for answer in answers for path in (*answer.kept, *answer.written)]
    return Demo(
        report,
        tuple(path for path in files if path.suffix == ".mp4"),
        results,
        (
            accuracy_table([(title, done.evaluation) for title, done in evaluated.items()]),
            spatial_table(spatial.attention, spatial.centre),
            class_table(best.evaluation),
        ),
    )
