"""Numbers in the words of a table: the same for ``avloc eval`` and for reports."""

from __future__ import annotations

from collections.abc import Sequence

from avloc.artifacts import ModelFile
from avloc.evaluation import CrossModal, Evaluation, SpatialMetrics
from avloc.evaluation.decoding import IN_WORDS
from avloc.export import ReportCurve, ReportTable

_REGIONS = {
    "half": "what has at least half of its maximum",
    "median": "what lies above its median: half of the picture, whatever the map",
}
TRIVIAL = "trivial line (right class, never background)"


def percent(value: float | None) -> str:
    """Return a share as a percentage with one decimal; a dash for what cannot be given."""
    return "-" if value is None else f"{value:.1%}"


def accuracy_table(evaluations: Sequence[tuple[str, Evaluation]]) -> ReportTable:
    """Return the table of models on one split, with the trivial line at its end.

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
    trivial = (TRIVIAL, percent(first.trivial_accuracy), "", "", percent(0.0))
    return ReportTable(
        title=f"Segment accuracy on {first.split}{_given(first)}",
        header=("model", "accuracy", "95 % interval", "event F1", "background found"),
        rows=[*rows, trivial],
        caption=(
            f"{first.n_segments} segments of {first.n_videos} videos; {_decoder(first)}; "
            f"{_selection(first)}; the interval resamples videos; events match at tIoU 0.5."
            + _leak(evaluations)
        ),
    )


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
            percent(one.accuracy),
            percent(one.precision),
            percent(one.recall),
            percent(one.f1),
            str(one.support),
        )
        for one in evaluation.classes
    ]
    return ReportTable(
        title="By class",
        header=("class", "accuracy", "precision", "recall", "F1", "segments"),
        rows=rows,
        caption=(
            f"Accuracy is that of the rows in which the class occurs; {_decoder(evaluation)}."
        ),
    )


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
