"""From finished runs to a comparison: the metrics of each seed, intervals and trivial baselines."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import Comparison, FeatureStore, Predictions, read_model
from avloc.datasets import Dataset, SegmentBoxes
from avloc.errors import ArtifactError
from avloc.evaluation.measure import measure
from avloc.evaluation.metrics import (
    bootstrap_interval,
    class_oracle_accuracy,
    constant_accuracy,
    has_boundary,
)
from avloc.evaluation.paired import paired_difference
from avloc.evaluation.spatial import measure_attention, measure_centre
from avloc.stages.workspace import DEFAULT_MODEL
from avloc.tables.numbers import (
    BACKGROUND,
    BOUNDARY,
    CENTRE,
    CLASS_ORACLE,
    SPATIAL_COLUMNS,
    majority,
)
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
FULL = "full model"
"""Under this name `Comparison.made` has the title of the row that the others are compared with."""


def compare(
    table: str,
    runs: Sequence[PlannedRun],
    folder: Path,
    store: FeatureStore,
    dataset: Dataset,
    boxes: SegmentBoxes | None = None,
) -> Comparison:
    """Compare the finished runs of a table under one supervision; the others are NaN."""
    titles = list(dict.fromkeys(run.row.title for run in runs))
    seeds = sorted({run.training.seed for run in runs})
    trained_on = {row.video_id for row in dataset.rows if row.split == "train"}
    names = _METRICS if boxes is None else (*_METRICS, *SPATIAL_COLUMNS)
    metrics = {name: np.full((len(titles), len(seeds)), math.nan) for name in names}
    done: dict[str, list[Predictions]] = {title: [] for title in titles}
    for run in runs:
        predictions = finished(run, folder)
        if predictions is not None:
            done[run.row.title].append(predictions)
            index = titles.index(run.row.title), seeds.index(run.training.seed)
            for name, value in _measure(predictions, trained_on, boxes).items():
                metrics[name][index] = value
    training = runs[0].training
    is_full = training.supervision == "full"
    return Comparison(
        table=table,
        supervision="full" if is_full else f"weak, {training.weak_labels}",
        titles=tuple(titles),
        seeds=np.array(seeds),
        metrics=metrics,
        interval=np.array([_interval(done[title]) for title in titles]),
        paper=_paper(runs, titles),
        baselines=_baselines(runs, folder, [p for title in titles for p in done[title]], boxes),
        made=_made(runs[0], store, dataset) | {FULL: _full(runs)},
        full_minus_row=np.array([_difference(done[_full(runs)], done[title]) for title in titles]),
    )


def _measure(
    predictions: Predictions, trained_on: set[str], boxes: SegmentBoxes | None
) -> dict[str, float]:
    evaluation = measure(predictions, training_videos=trained_on)
    metrics = {name: _number(getattr(evaluation, name)) for name in _METRICS}
    if boxes is not None and predictions.attention is not None:
        spatial = measure_attention(predictions, boxes)
        metrics |= {name: getattr(spatial, name) for name in SPATIAL_COLUMNS}
    return metrics


def _interval(seeds: Sequence[Predictions]) -> tuple[float, float]:
    if not seeds:
        return (math.nan, math.nan)
    predicted = np.stack([predictions.class_scores.argmax(axis=-1) for predictions in seeds])
    interval = bootstrap_interval(predicted, seeds[0].targets, seeds[0].video_ids)
    return interval or (math.nan, math.nan)


def _full(runs: Sequence[PlannedRun]) -> str:
    """Return the title of the full model: of the row with the default model's name, or the last."""
    titles = {run.row.name: run.row.title for run in runs}
    return titles.get(DEFAULT_MODEL, runs[-1].row.title)


def _difference(
    full: Sequence[Predictions], seeds: Sequence[Predictions]
) -> tuple[float, float, float]:
    """Return the mean difference of accuracy and its paired interval; NaN without both."""
    if not full or not seeds:
        return (math.nan, math.nan, math.nan)
    n_scored = full[0].scored.sum(axis=1)
    ours, others = (np.stack([_accuracies(p) for p in of]) for of in (full, seeds))
    found = paired_difference(ours, others, full[0].video_ids, n_scored)
    return (math.nan, math.nan, math.nan) if found is None else (found.mean, *found.interval)


def _accuracies(predictions: Predictions) -> np.ndarray:
    """Return (R,): the share of right segments of each row."""
    right = predictions.class_scores.argmax(axis=-1) == predictions.targets
    return np.asarray(right.sum(axis=1) / np.maximum(predictions.scored.sum(axis=1), 1))


def _paper(runs: Sequence[PlannedRun], titles: Sequence[str]) -> np.ndarray:
    """Return the paper's numbers as shares; it has none for other kinds of weak labels."""
    training = runs[0].training
    if training.supervision != "full" and training.weak_labels != "proportion":
        return np.full(len(titles), math.nan)
    paper = {run.row.title: run.row.paper.get(training.supervision, math.nan) for run in runs}
    return np.array([paper[title] / 100 for title in titles])


def _baselines(
    runs: Sequence[PlannedRun],
    folder: Path,
    done: Sequence[Predictions],
    boxes: SegmentBoxes | None,
) -> dict[str, float]:
    if not done:
        return {}
    baselines: dict[str, float] = {}
    first = done[0]
    background = first.labels.background_index
    label = next(filter(None, (_majority_label(run.model_path(folder)) for run in runs)), "")
    if label in first.labels.all_names:
        answer = first.labels.index(label)
        accuracy = partial(constant_accuracy, answer=answer)
        baselines |= _baseline(majority(label), accuracy, first.targets, answer == background)
    oracle = partial(class_oracle_accuracy, background=background)
    baselines |= _baseline(CLASS_ORACLE, oracle, first.targets, finds_background=False)
    attentive = next((p for p in done if p.attention is not None), None)
    if boxes is not None and attentive is not None:
        centre = measure_centre(attentive, boxes)
        baselines |= {f"{CENTRE}{name}": getattr(centre, name) for name in SPATIAL_COLUMNS}
    return baselines


def _baseline(
    title: str,
    accuracy: Callable[[NDArray[np.int64]], float | None],
    targets: NDArray[np.int64],
    finds_background: bool,
) -> dict[str, float]:
    """Return its accuracy, that on rows whose class changes, and the background it finds."""
    return {
        title: _number(accuracy(targets)),
        f"{BOUNDARY}{title}": _number(accuracy(targets[has_boundary(targets)])),
        f"{BACKGROUND}{title}": float(finds_background),
    }


def _majority_label(path: Path) -> str:
    """Return the most frequent label in training; nothing for a missing or damaged model."""
    try:
        return str(read_model(path).data.get("majority_label", ""))
    except ArtifactError:
        return ""


def _made(run: PlannedRun, store: FeatureStore, dataset: Dataset) -> dict[str, object]:
    counts = [sum(row.split == split for row in dataset.rows) for split in ("train", "val", "test")]
    return {
        "data set": f"{dataset.name}, {counts[0]} / {counts[1]} / {counts[2]} rows",
        "features": f"{store.spec.visual} and {store.spec.audio}, {store.fingerprint}",
        "decoder": "argmax per segment",
        "epoch chosen by": f"{run.training.selected_by_in_words} on {run.training.select}",
        "epochs": run.training.epochs,
        "spatial attention of CMAN": "cosine, as in the paper; the projection is no row of the "
        "paper, and was chosen by boxes of validation clips",
    }


def _number(value: float | None) -> float:
    return math.nan if value is None else value
