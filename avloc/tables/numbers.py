"""Numbers in the words of a table: the same for ``avloc eval`` and for reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from avloc.artifacts import ModelFile
from avloc.evaluation import CrossModal, Evaluation, SpatialMetrics
from avloc.evaluation.decoders import IN_WORDS
from avloc.export.report.curves import ReportCurve
from avloc.export.report.report_parts import ReportTable

_REGIONS = {
    "half": "what has at least half of its maximum",
    "median": "what lies above its median: half of the picture, whatever the map",
}
CLASS_ORACLE = "class oracle (told each clip's class, never background)"


def percent(value: float | None) -> str:
    """Return a share as a percentage with one decimal; a dash for what cannot be given."""
    return "-" if value is None else f"{value:.1%}"


def accuracy_table(evaluations: Sequence[tuple[str, Evaluation]]) -> ReportTable:
    """Return the table of models on one split, with two baselines at its end.

    Args:
        evaluations: a title and an evaluation a model, all of one split and decoder.
    """
    first = evaluations[0][1]
    rows = [
        (
            title,
            percent(one.segment_accuracy),
            interval(one),
            percent(one.event_f1),
            percent(one.background_recall),
        )
        for title, one in evaluations
    ]
    return ReportTable(
        title=f"Segment accuracy on {first.split}{_given(first)}",
        header=("model", "accuracy", "95 % interval", "event F1", "background found"),
        rows=[*rows, *_baselines(first)],
        caption=(
            f"{first.n_segments} segments of {first.n_videos} videos; {_decoder(first)}; "
            f"{_selection(first)}; the interval resamples videos; events match at tIoU 0.5."
            + _leak(evaluations)
        ),
    )


def majority(label: str) -> str:
    """Return the title of the baseline that needs neither a model nor the clip."""
    return f"always {label!r}, the most frequent in training"


def _baselines(evaluation: Evaluation) -> list[tuple[str, ...]]:
    """Return what needs no model, where the model file names it, and what only lacks "when"."""
    oracle = (CLASS_ORACLE, percent(evaluation.class_oracle_accuracy), "", "", percent(0.0))
    if evaluation.majority_accuracy is None:
        return [oracle]
    label = evaluation.majority_label
    found = percent(float(label == evaluation.classes[-1].name))
    constant = (majority(label), percent(evaluation.majority_accuracy), "", "", found)
    return [constant, oracle]


def _given(evaluation: Evaluation) -> str:
    """Say what the models were not given."""
    words = {"": "", "audio": ", sound taken away", "visual": ", picture taken away"}
    return words[evaluation.without]


def _decoder(evaluation: Evaluation) -> str:
    """Name the decoder: numbers of different ones are not comparable."""
    return f"decoder {evaluation.decode!r}, {IN_WORDS[evaluation.decode]}"


def _selection(evaluation: Evaluation) -> str:
    """Say what chose the epoch; numbers that were chosen on test are no honest ones."""
    if evaluation.selection == "TEST split":
        return "epoch chosen on TEST, so these numbers are too high"
    return "epoch chosen on validation"


def _leak(evaluations: Sequence[tuple[str, Evaluation]]) -> str:
    """Say what is left without rows whose video has a training row; AVE's test has eight."""
    n_seen = evaluations[0][1].n_seen
    if not n_seen:
        return ""
    left = ", ".join(f"{title} {percent(one.unseen_accuracy)}" for title, one in evaluations)
    return f" Without the {n_seen} rows whose video is also trained on: {left}."


def interval(evaluation: Evaluation) -> str:
    """Return a bootstrap interval in words."""
    if evaluation.interval is None:
        return "-"
    low, high = evaluation.interval
    return f"{low:.1%} to {high:.1%}"


def class_table(evaluation: Evaluation) -> ReportTable:
    """Return the table of classes, background last."""
    rows = [
        (
            one.name,
            percent(one.precision),
            percent(one.recall),
            percent(one.f1),
            str(one.support),
            percent(one.accuracy),
        )
        for one in evaluation.classes
    ]
    return ReportTable(
        title="By class",
        header=("class", "precision", "recall", "F1", "segments", "accuracy of its clips"),
        rows=rows,
        caption=(
            "Precision, recall and F1 count the segments of the class; accuracy of its clips "
            "counts all segments of the clips in which it occurs, background too; "
            f"{_decoder(evaluation)}."
        ),
    )


METRIC_COLUMNS = ("model", "split", "decode", "without", "metric", "value")


def metric_rows(numbers: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """Return an evaluation's numbers as rows of `METRIC_COLUMNS`, one number a row.

    Args:
        numbers: `EvaluatedSplit.to_dict()`. A nested number is named by its path,
            ``classes.Bark.f1``; a value that the data cannot give is None.
    """
    given = [numbers[column] for column in METRIC_COLUMNS[:4]]
    names = [one["name"] for one in numbers["classes"]]
    low, high = numbers["interval"] or (None, None)
    tree = dict(numbers) | {
        "interval": {"low": low, "high": high},
        "classes": {one["name"]: one for one in numbers["classes"]},
        "confusion": {
            true: dict(zip(names, counts, strict=True))
            for true, counts in zip(names, numbers["confusion"], strict=True)
        },
        "missing_videos": len(numbers["missing_videos"]),
        "late_events": len(numbers["late_events"]),
        "spatial": numbers["spatial"] or {},
        "cross_modal": numbers["cross_modal"] or {},
    }
    return [(*given, metric, value) for metric, value in _numbers_in(tree)]


def _numbers_in(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float | None]]:
    """Walk the numbers of nested mappings with their paths; text is left out."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _numbers_in(value, f"{above}{name}.")
        elif not isinstance(value, str):
            yield f"{above}{name}", value


def spatial_table(
    attention: SpatialMetrics, centre: SpatialMetrics, rule: str = "half"
) -> ReportTable:
    """Return how well attention finds what sounds, beside always pointing at the centre.

    Args:
        attention: of the model.
        centre: of the baseline, by the same rule and in the same segments.
        rule: how a map becomes a region, one of `evaluation.spatial.RULES`.
    """
    rows = [
        (title, percent(one.pointing), percent(one.ciou), percent(one.auc), f"{one.mean_iou:.3f}")
        for title, one in (("attention", attention), ("always the centre", centre))
    ]
    return ReportTable(
        title=f"Where: attention against the sounding object's box, rule {rule!r}",
        header=("map", "points into the box", "IoU at least 0.5", "AUC", "mean IoU"),
        rows=rows,
        caption=f"{attention.n_maps} event segments; a map's region is {_REGIONS[rule]}.",
    )


def cross_modal_table(found: CrossModal) -> ReportTable:
    """Return how often the event is found in the other modality, the trivial answers last."""
    trivial = found.trivial
    return ReportTable(
        title="Across modalities: where in the one is what the other shows",
        header=("", "sound to picture (A2V)", "picture to sound (V2A)"),
        rows=[
            (f"{found.audio} and {found.visual}", percent(found.a2v), percent(found.v2a)),
            ("chance", *[percent(trivial.chance)] * 2),
            ("always first", *[percent(trivial.first)] * 2),
            ("always last", *[percent(trivial.last)] * 2),
        ],
        caption=(
            f"{trivial.n_rows} rows whose event does not fill them; only an exact start counts; "
            "segments are matched by their class probabilities."
        ),
    )


def learning_curve(model: ModelFile) -> ReportCurve:
    """Return a model's accuracy by epoch, in percent."""
    series = {
        name: [100 * value for value in model.history[f"{column}_accuracy"]]
        for name, column in (("training", "train"), ("validation", "val"))
    }
    return ReportCurve("Accuracy by epoch", series, y_label="segment accuracy, %")
