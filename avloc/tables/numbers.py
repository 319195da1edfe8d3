"""The tables of ``avloc eval``, and its numbers as rows of a CSV file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from avloc.evaluation.cross_modal import CrossModal
from avloc.evaluation.decoders import IN_WORDS
from avloc.evaluation.measure import Evaluation
from avloc.evaluation.spatial import SpatialMetrics
from avloc.tables.table import Table, interval, percent

_REGIONS = {
    "half": "what has at least half of its maximum",
    "median": "what lies above its median: half of the picture, whatever the map",
}
_WITHOUT = {"": "", "audio": ", sound taken away", "visual": ", picture taken away"}
SPATIAL_COLUMNS = {
    "pointing": "points into the box",
    "ciou": "IoU at least 0.5",
    "auc": "AUC",
    "auc_published": "AUC, steps of 0.05",
}
"""The spatial metrics of a table, and the titles of their columns."""
CENTRE = "centre: "
"""Comes before a spatial metric's name for the trivial map, which always has the centre."""
BOUNDARY = "boundary: "
"""Comes before a baseline's title for its accuracy on rows whose class changes."""
BACKGROUND = "background: "
"""Comes before a baseline's title for the background segments that it finds."""
CLASS_ORACLE = "class oracle (told each clip's class, never background)"


def accuracy_table(evaluations: Sequence[tuple[str, Evaluation]]) -> Table:
    """Return titles and evaluations of models on one split, the trivial baselines last."""
    first = evaluations[0][1]
    rows = [
        (
            title,
            percent(evaluation.segment_accuracy),
            interval(evaluation.interval),
            percent(evaluation.event_f1),
            percent(evaluation.background_recall),
        )
        for title, evaluation in evaluations
    ]
    return Table(
        title=f"Segment accuracy on {first.split}{_WITHOUT[first.without]}",
        header=("model", "accuracy", "95 % interval", "event F1", "background found"),
        rows=[*rows, *_baselines(first)],
        caption=(
            f"{first.n_segments} segments of {first.n_videos} videos; {_decoder(first)}; "
            f"{_selection(first)}; the interval resamples videos; events match at tIoU 0.5."
            + _leak(evaluations)
        ),
    )


def accuracies_of(baselines: Mapping[str, float]) -> dict[str, float]:
    """Return the accuracy of each baseline of a `Comparison`, by its title."""
    others = (CENTRE, BOUNDARY, BACKGROUND)
    return {title: v for title, v in baselines.items() if not title.startswith(others)}


def _selection(evaluation: Evaluation) -> str:
    by = f" by {evaluation.selected_by}" if evaluation.selected_by else ""
    if evaluation.selection == "TEST split":
        return f"epoch chosen{by} on TEST, so these numbers are too high"
    return f"epoch chosen{by} on validation"


def majority(label: str) -> str:
    """Return the title of the constant baseline."""
    return f"always {label!r}, the most frequent in training"


def _baselines(evaluation: Evaluation) -> list[tuple[str, ...]]:
    oracle = (CLASS_ORACLE, percent(evaluation.class_oracle_accuracy), "", "", percent(0.0))
    if evaluation.majority_accuracy is None:  # the model file does not name the label
        return [oracle]
    label = evaluation.majority_label
    background_recall = percent(float(label == evaluation.classes[-1].name))
    accuracy = percent(evaluation.majority_accuracy)
    return [(majority(label), accuracy, "", "", background_recall), oracle]


def _decoder(evaluation: Evaluation) -> str:
    return f"decoder {evaluation.decode!r}, {IN_WORDS[evaluation.decode]}"


def _leak(evaluations: Sequence[tuple[str, Evaluation]]) -> str:
    """Add the accuracy without rows whose video has a training row; AVE's test has eight."""
    n_seen = evaluations[0][1].n_seen
    if not n_seen:
        return ""
    unseen = ", ".join(f"{title} {percent(e.unseen_accuracy)}" for title, e in evaluations)
    return f" Without the {n_seen} rows whose video is also trained on: {unseen}."


def class_table(evaluation: Evaluation) -> Table:
    """Return a row for each class, background last."""
    return Table(
        title="By class",
        header=("class", "precision", "recall", "F1", "segments", "accuracy of its clips"),
        rows=[
            (
                metrics.name,
                *map(percent, (metrics.precision, metrics.recall, metrics.f1)),
                str(metrics.support),
                percent(metrics.accuracy),
            )
            for metrics in evaluation.classes
        ],
        caption=(
            "Precision, recall and F1 count the segments of the class; accuracy of its clips "
            "counts all segments of the clips in which it occurs, background too; "
            f"{_decoder(evaluation)}."
        ),
    )


METRIC_COLUMNS = ("model", "split", "decode", "without", "metric", "value")


def metric_rows(numbers: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """Return `EvaluatedSplit.to_dict()` as rows of `METRIC_COLUMNS`, named ``classes.Bark.f1``."""
    given = [numbers[column] for column in METRIC_COLUMNS[:4]]
    names = [metrics["name"] for metrics in numbers["classes"]]
    low, high = numbers["interval"] or (None, None)
    tree = dict(numbers) | {
        "interval": {"low": low, "high": high},
        "classes": dict(zip(names, numbers["classes"], strict=True)),
        "confusion": {
            true: dict(zip(names, counts, strict=True))
            for true, counts in zip(names, numbers["confusion"], strict=True)
        },
        "missing_videos": len(numbers["missing_videos"]),
        "late_events": len(numbers["late_events"]),
        "events": numbers["events"] or {},
        "spatial": numbers["spatial"] or {},
        "cross_modal": numbers["cross_modal"] or {},
    }
    return [(*given, metric, value) for metric, value in _numbers_in(tree)]


def _numbers_in(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float | None]]:
    """Walk the numbers of nested mappings with their paths; text and lists are left out."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _numbers_in(value, f"{above}{name}.")
        elif not isinstance(value, str | tuple | list):
            yield f"{above}{name}", value


def spatial_table(attention: SpatialMetrics, centre: SpatialMetrics, rule: str = "half") -> Table:
    """Return how well attention and the centre find the source, by a rule of `spatial.RULES`."""
    return Table(
        title=f"Where: attention against the sounding object's box, rule {rule!r}",
        header=("map", *SPATIAL_COLUMNS.values(), "mean IoU"),
        rows=[
            (title, *(percent(getattr(of, n)) for n in SPATIAL_COLUMNS), f"{of.mean_iou:.3f}")
            for title, of in (("attention", attention), ("always the centre", centre))
        ],
        caption=f"{attention.n_maps} event segments; a map's region is {_REGIONS[rule]}.",
    )


def cross_modal_table(match: CrossModal) -> Table:
    """Return how often an event is found in the other modality, the trivial answers last."""
    trivial = match.trivial
    return Table(
        title="Across modalities: where in the one is what the other shows",
        header=("", "sound to picture (A2V)", "picture to sound (V2A)"),
        rows=[
            (f"{match.audio} and {match.visual}", percent(match.a2v), percent(match.v2a)),
            ("chance", *[percent(trivial.chance)] * 2),
            ("always first", *[percent(trivial.first)] * 2),
            ("always last", *[percent(trivial.last)] * 2),
        ],
        caption=(
            f"{trivial.n_rows} rows whose event does not fill them; only an exact start counts; "
            "segments are matched by their class probabilities."
        ),
    )
