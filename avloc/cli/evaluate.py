"""``avloc eval``: a model's metrics on a split."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avloc.cli import console
from avloc.cli.parameters import parameters_of, printed_as

if TYPE_CHECKING:
    from avloc.stages.evaluate import EvaluatedSplit
    from avloc.tables.table import Table


@parameters_of(
    "avloc.stages.evaluate.evaluate",
    model={"metavar": "NAME"},
    split={"choices": "avloc.datasets.dataset.SPLITS"},
    decode={"choices": "avloc.evaluation.decoders.IN_WORDS"},
    spatial={"metavar": "FILE"},
    match={"metavar": "NAME"},
    without={"choices": "avloc.evaluation.evaluator.MODALITIES"},
)
def evaluate(
    given: dict[str, Any],
    per_class: Annotated[
        bool, typer.Option("--per-class", help="Also print a table by class.")
    ] = False,
    format: Annotated[str, printed_as("table", "json", "csv")] = "table",
) -> None:
    """Evaluate, and print the metrics in a format."""
    import avloc

    done = avloc.evaluate(**given)
    if format == "json":
        console.data(json.dumps(done.to_dict(), indent=1, ensure_ascii=False))
    elif format == "csv":
        _write_csv(done)
    else:
        for table in _tables(done, per_class):
            console.show_table(table.title, table.header, table.rows)
            console.data(table.caption)
    missing = done.evaluation.missing_videos
    if missing:
        console.say(
            f"{len(missing)} videos of {given['split']} have no features and are not counted"
        )
    for event in done.evaluation.late_events:
        console.say(f"warning: an event ends after its video: {event}")
    console.say(f"wrote {done.path}")


def _tables(done: EvaluatedSplit, per_class: bool) -> list[Table]:
    from avloc.tables.event_tables import event_tables
    from avloc.tables.numbers import accuracy_table, class_table, cross_modal_table, spatial_table

    tables = []
    if done.predictions.labels.is_exclusive:  # otherwise a segment has no class
        tables.append(accuracy_table([(done.evaluation.model, done.evaluation)]))
    if done.evaluation.events is not None:
        tables += event_tables(done.evaluation.events, done.evaluation.model)
    if per_class and done.evaluation.classes:
        tables.append(class_table(done.evaluation))
    for rule, pair in (done.spatial or {}).items():
        tables.append(spatial_table(pair.attention, pair.centre, rule))
    if done.cross_modal is not None:
        tables.append(cross_modal_table(done.cross_modal))
    return tables


def _write_csv(done: EvaluatedSplit) -> None:
    import csv
    import sys

    from avloc.tables.numbers import METRIC_COLUMNS, metric_rows

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerows([METRIC_COLUMNS, *metric_rows(done.to_dict())])
