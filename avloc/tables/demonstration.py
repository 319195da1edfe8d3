"""The whole product on data it makes itself: clips, features, models, events, a report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

from avloc.artifacts import write_text
from avloc.datasets import Dataset
from avloc.errors import OutputError
from avloc.evaluation.event_evaluation import MODEL
from avloc.evaluation.measure import Evaluation
from avloc.export.marks import refuse_foreign
from avloc.progress import Progress
from avloc.stages.evaluate import evaluate
from avloc.stages.localize.run import localize
from avloc.stages.train import train
from avloc.tables.event_tables import senses_table
from avloc.tables.numbers import spatial_table
from avloc.tables.open_demonstration import OpenDemo, run_open_demo
from avloc.tables.recipes import make_data, read_recipe, recipe_path, step
from avloc.tables.table import Table, percent

_N_SHOWN_CLIPS = 3


@dataclass(frozen=True)
class Demo:
    """The report page, heat-map videos, ``results.json`` and tables of a demo.

    ``open`` is its part without training.
    """

    report: Path
    heatmaps: tuple[Path, ...]
    results: Path
    tables: tuple[Table, ...]
    open: OpenDemo


def run_demo(folder: Path | str = "demo", progress: Progress | None = None) -> Demo:
    """Run every step on artificial clips.

    A clip has one or two events, each heard, seen, or both.

    It runs synth, extract, train, eval and localize with heat maps, and writes an HTML report.
    Then the model open, which needs no training, looks for words in a clip of photographs.
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
    shown = clips_of_two(dataset)[:_N_SHOWN_CLIPS]
    answers = localize(
        [str(dataset.videos[video_id]) for video_id in shown],
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
    assert best.evaluation.events is not None
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
            f1_table([(title, done.evaluation) for title, done in evaluated.items()]),
            senses_table(best.evaluation.events.senses),
            spatial_table(spatial.attention, spatial.centre),
        ),
        run_open_demo(folder, step(progress, "without training")),
    )


def clips_of_two(dataset: Dataset) -> list[str]:
    """Return the test clips in which two labels known by different senses overlap, in order.

    The truth alone decides, so the answers of the clips that are shown may be good or bad.
    """
    chosen = []
    for video_id in dict.fromkeys(row.video_id for row in dataset.rows if row.split == "test"):
        events = dataset.events_of(video_id) or ()
        if any(
            a.label != b.label and a.sense != b.sense and a.start < b.end and b.start < a.end
            for a, b in combinations(events, 2)
        ):
            chosen.append(video_id)
    return chosen


def f1_table(evaluations: Sequence[tuple[str, Evaluation]]) -> Table:
    """Return models and their F1 of labels by segment and precision of events, baselines last."""
    rows = []
    for title, evaluation in evaluations:
        of_model = evaluation.events
        assert of_model is not None
        precision = of_model.precision.get(MODEL)
        mean = None if precision is None else precision.at(0.5)
        rows.append((title, percent(of_model.labels[MODEL].micro), percent(mean)))
    first = evaluations[0][1]
    assert first.events is not None
    for name, f1 in first.events.labels.items():
        if name != MODEL:
            precision = first.events.precision.get(name)
            mean = None if precision is None else precision.at(0.5)
            rows.append((name, percent(f1.micro), percent(mean)))
    return Table(
        title=f"Events on {first.split}: one or two in a clip, heard, seen, or both",
        header=("model", "F1 of segments", "mean average precision at tIoU 0.5"),
        rows=rows,
        caption=(
            f"{first.n_segments} segments of {first.n_videos} made clips. An event that only one "
            "sense knows is an event too, so a model of one sense misses those of the other. F1 "
            "counts all labels of all segments together; the answers below the models need none."
        ),
    )
