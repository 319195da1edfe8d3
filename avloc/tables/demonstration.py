"""The whole product on data it makes itself: clips, features, models, events, a report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.artifacts import ModelFile, write_text
from avloc.datasets import BOXES, Dataset, read_boxes, synthesize
from avloc.errors import AvlocError, OutputError, UsageError
from avloc.evaluation import SpatialMetrics, measure_attention, measure_centre
from avloc.export.marks import refuse_foreign
from avloc.export.pictures import report_thumbnails
from avloc.export.report.page import write_report
from avloc.export.report.report_parts import ReportClip, ReportResults, ReportTable
from avloc.media import sampled_segments
from avloc.progress import Progress, silent
from avloc.stages.evaluate import EvaluatedSplit
from avloc.stages.extract import extract
from avloc.stages.localize.run import LocalizedVideo, localize
from avloc.tables.numbers import accuracy_table, class_table, learning_curve, spatial_table
from avloc.tables.recipes import RowResult, read_recipe, recipe_path, run_rows

N_SHOWN_CLIPS = 3


@dataclass(frozen=True)
class Demo:
    """What a demo left, and what it found.

    Attributes:
        report: the HTML page.
        heatmaps: the heat-map videos.
        results: ``results.json``, the numbers as data.
        table: model, test accuracy; the baselines last.
        spatial: how well CMAN's attention finds the sounding object, and
        centre: how well pointing at the picture's centre does.
    """

    report: Path
    heatmaps: tuple[Path, ...]
    results: Path
    table: ReportTable
    spatial: SpatialMetrics
    centre: SpatialMetrics


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
    report, folder = progress or silent, Path(folder)
    _refuse_foreign(folder)
    recipe = read_recipe(recipe_path("demo"))
    if recipe.synthesis is None:
        raise UsageError("the demo's recipe makes no data")
    data, artifacts = folder / "data", folder / "artifacts"
    dataset = synthesize(data, recipe.synthesis, progress=_step(report, "clips"))
    extraction = extract(
        data, artifacts=artifacts, progress=_step(report, "features"), **recipe.features
    )
    if extraction.report.failures:
        raise AvlocError(f"{len(extraction.report.failures)} of the demo's own clips failed")
    results = run_rows(recipe, artifacts, progress=_step(report, "training"))
    answers = localize(
        [dataset.videos[name] for name in _shown(results[0].test)],
        model=results[0].training.path,
        heatmap=True,
        out=folder / "localizations",
        format=["csv"],
        progress=_step(report, "heat maps"),
    )
    return _written(folder, dataset, results, answers)


def _refuse_foreign(folder: Path) -> None:
    """Refuse a folder in which the demo would replace a page or numbers of somebody else's."""
    page, numbers = folder / "report.html", folder / "results.json"
    refuse_foreign(page)
    if numbers.exists() and not page.exists():  # the demo writes the page first
        raise OutputError(f"{numbers} exists and was not written by avloc", "Move it away.")


def _step(progress: Progress, step: str) -> Progress:
    return lambda done, total, what: progress(done, total, f"{step}: {what}")


def _shown(test: EvaluatedSplit) -> list[str]:
    """Choose the clips to show: the first of the test split, good and bad as they come."""
    return list(dict.fromkeys(test.predictions.video_ids))[:N_SHOWN_CLIPS]


def _written(
    folder: Path, dataset: Dataset, results: Sequence[RowResult], answers: Sequence[LocalizedVideo]
) -> Demo:
    boxes, best = read_boxes(dataset.root / BOXES), results[0]
    spatial = measure_attention(best.test.predictions, boxes)
    centre = measure_centre(best.test.predictions, boxes)
    table = accuracy_table([(result.row.title, result.test.evaluation) for result in results])
    page = write_report(
        folder / "report.html",
        title="avloc demo: clips with known truth",
        timelines=[_clip(answer, dataset) for answer in answers],
        results=ReportResults(
            tables=[table, spatial_table(spatial, centre), class_table(best.test.evaluation)],
            curves=[learning_curve(best.training.model)],
        ),
        made=_made(best.training.model),
    )
    numbers = {result.row.name: result.test.evaluation.to_dict() for result in results}
    numbers["spatial"] = {"attention": vars(spatial), "centre": vars(centre)}
    write_text(folder / "results.json", json.dumps(numbers, indent=1) + "\n")
    heatmaps = tuple(path for answer in answers for path in _files(answer) if _is_video(path))
    return Demo(page, heatmaps, folder / "results.json", table, spatial, centre)


def _made(model: ModelFile) -> dict[str, str]:
    spec, data = model.spec, model.data
    return {
        "Encoders": f"{spec.visual} on {spec.fps} a second, {spec.audio}",
        "Trained on": f"{data['n_train_rows']} clips, epoch {model.metrics['epoch']:g} chosen on "
        f"{data['n_val_rows']} others, seed {model.seed}",
    }


def _clip(answer: LocalizedVideo, dataset: Dataset) -> ReportClip:
    if answer.timeline is None:
        raise answer.error or AvlocError(f"{answer.video} has no answer")
    timeline = answer.timeline
    frames = [
        segment.images[0] if segment.images else None
        for segment in sampled_segments(answer.video, rate=1, grid=timeline.grid)
    ]
    return ReportClip(
        timeline,
        truth=dataset.events_of(timeline.video_id),
        thumbnails=report_thumbnails(timeline, frames),
        video=next(path for path in _files(answer) if _is_video(path)),
        files=[path for path in _files(answer) if not _is_video(path)],
    )


def _files(answer: LocalizedVideo) -> tuple[Path, ...]:
    return answer.kept + answer.written


def _is_video(path: Path) -> bool:
    return path.suffix == ".mp4"
