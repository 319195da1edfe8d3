"""From finished runs to a comparison: the mean over seeds, its spread, and what is trivial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import Comparison, FeatureStore, Predictions, read_model
from avloc.datasets import Dataset, SegmentBoxes
from avloc.errors import ArtifactError
from avloc.evaluation import (
    Evaluation,
    bootstrap_interval,
    class_oracle_accuracy,
    constant_accuracy,
    measure,
    measure_attention,
    measure_centre,
)
from avloc.tables.numbers import CLASS_ORACLE, majority
from avloc.tables.plan import PlannedRun
from avloc.tables.runs import finished

_METRICS = (
    "segment_accuracy",
    "unseen_accuracy",
    "foreground_f1",
    "event_f1",
    "background_recall",
    "boundary_accuracy",
)
_SPATIAL = ("pointing", "ciou", "auc")
_NONE = float("nan")


@dataclass(frozen=True)
class _Done:
    """A run's predictions and what they are worth."""

    predictions: Predictions
    numbers: dict[str, float]


def compare(
    table: str,
    runs: Sequence[PlannedRun],
    folder: Path,
    store: FeatureStore,
    dataset: Dataset,
    boxes: SegmentBoxes | None = None,
) -> Comparison:
    """Compare the finished runs of a table under one supervision.

    Args:
        table: its name.
        runs: what was planned; whatever is not there is left NaN.
        folder: where the runs left their predictions.
        store: the features.
        dataset: rows and labels.
        boxes: where the sources are, if that is known.
    """
    titles = list(dict.fromkeys(run.row.title for run in runs))
    seeds = sorted({run.seed for run in runs})
    trained_on = {row.video_id for row in dataset.rows if row.split == "train"}
    done = {
        (titles.index(run.row.title), seeds.index(run.seed)): _measured(
            predictions, trained_on, boxes
        )
        for run in runs
        if (predictions := finished(run, folder)) is not None
    }
    of_rows = [
        [done[r, s] for s in range(len(seeds)) if (r, s) in done] for r in range(len(titles))
    ]
    return Comparison(
        table=table,
        supervision=_supervision(runs[0]),
        titles=tuple(titles),
        seeds=np.array(seeds),
        metrics={name: _grid(done, name, len(titles), len(seeds)) for name in _names(boxes)},
        interval=np.array([_interval([one.predictions for one in row]) for row in of_rows]),
        paper=_paper(runs, titles),
        baselines=_constant(runs, folder, of_rows)
        | _baselines([one.predictions for row in of_rows for one in row], boxes),
        made=_made(runs[0], store, dataset),
    )


def _measured(predictions: Predictions, trained_on: set[str], boxes: SegmentBoxes | None) -> _Done:
    evaluation: Evaluation = measure(predictions, training_videos=trained_on)
    numbers = {name: _number(getattr(evaluation, name)) for name in _METRICS}
    if boxes is not None and predictions.attention is not None:
        spatial = measure_attention(predictions, boxes)
        numbers |= {name: getattr(spatial, name) for name in _SPATIAL}
    return _Done(predictions, numbers)


def _names(boxes: SegmentBoxes | None) -> tuple[str, ...]:
    return _METRICS if boxes is None else _METRICS + _SPATIAL


def _grid(
    done: Mapping[tuple[int, int], _Done], name: str, n_rows: int, n_seeds: int
) -> NDArray[np.float64]:
    grid = np.full((n_rows, n_seeds), _NONE)
    for place, one in done.items():
        grid[place] = one.numbers.get(name, _NONE)
    return grid


def _interval(of_seeds: Sequence[Predictions]) -> tuple[float, float]:
    if not of_seeds:
        return (_NONE, _NONE)
    predicted = np.stack([one.scores.argmax(axis=-1) for one in of_seeds])
    first = of_seeds[0]
    return bootstrap_interval(predicted, first.targets, first.video_ids) or (_NONE, _NONE)


def _paper(runs: Sequence[PlannedRun], titles: Sequence[str]) -> NDArray[np.float64]:
    """Return the paper's numbers as shares; it has none for weak labels of another kind."""
    training = runs[0].training
    is_papers = training.supervision == "full" or training.weak_labels == "proportion"
    of_title = {run.row.title: run.row.paper.get(training.supervision, _NONE) for run in runs}
    return np.array([of_title[title] / 100 if is_papers else _NONE for title in titles])


def _baselines(done: Sequence[Predictions], boxes: SegmentBoxes | None) -> dict[str, float]:
    if not done:
        return {}
    first = done[0]
    oracle = class_oracle_accuracy(first.targets, first.labels.background_index)
    found = {CLASS_ORACLE: _number(oracle)}
    with_attention = [one for one in done if one.attention is not None]
    if boxes is not None and with_attention:
        centre = measure_centre(with_attention[0], boxes)
        found |= {f"centre: {name}": getattr(centre, name) for name in _SPATIAL}
    return found


def _constant(
    runs: Sequence[PlannedRun], folder: Path, of_rows: Sequence[Sequence[_Done]]
) -> dict[str, float]:
    """Return what the most frequent class of training reaches; a model of the runs names it."""
    done = next((one.predictions for row in of_rows for one in row), None)
    labels = (_majority_label(run.model_path(folder)) for run in runs)
    label = next(filter(None, labels), "")
    if done is None or label not in done.labels.all_names:
        return {}
    return {majority(label): _number(constant_accuracy(done.targets, done.labels.index(label)))}


def _majority_label(path: Path) -> str:
    """Return what a model file names; nothing where it is absent or damaged."""
    try:
        return str(read_model(path).data.get("majority_label", ""))
    except ArtifactError:
        return ""


def _supervision(run: PlannedRun) -> str:
    training = run.training
    weak = f"weak, {training.weak_labels}"
    return "full" if training.supervision == "full" else weak


def _made(run: PlannedRun, store: FeatureStore, dataset: Dataset) -> dict[str, object]:
    counts = [sum(row.split == split for row in dataset.rows) for split in ("train", "val", "test")]
    return {
        "data set": f"{dataset.name}, {counts[0]} / {counts[1]} / {counts[2]} rows",
        "features": f"{store.spec.visual} and {store.spec.audio}, {store.fingerprint}",
        "decoder": "argmax per segment",
        "epoch chosen by": f"segment accuracy on {run.training.select}",
        "epochs": run.training.epochs,
    }


def _number(value: float | None) -> float:
    return _NONE if value is None else value
