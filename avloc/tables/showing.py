"""A comparison as a table for people, and as files for their tools."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from avloc.artifacts import Comparison, write_comparison, write_text
from avloc.export.report.report_parts import ReportTable

_HEADER = ("model", "ours", "95 % interval", "seeds", "paper", "event F1", "background found")
_SPATIAL_HEADER = ("points into the box", "IoU at least 0.5", "AUC")
_SPATIAL = ("pointing", "ciou", "auc")
_CENTRE = "centre: "


def comparison_table(comparison: Comparison) -> ReportTable:
    """Return the table, its baselines last; every accuracy is the mean and deviation of seeds."""
    has_boxes = "pointing" in comparison.metrics
    rows = [_row(comparison, place, has_boxes) for place in range(len(comparison.titles))]
    return ReportTable(
        title=f"{comparison.table}, supervision: {comparison.supervision}",
        header=_HEADER + _SPATIAL_HEADER * has_boxes,
        rows=[*rows, *_baselines(comparison, has_boxes)],
        caption="; ".join(f"{name}: {value}" for name, value in comparison.made.items())
        + ". The interval is of the mean over seeds, videos drawn again; +- is the deviation "
        "between seeds. The paper's numbers are of AVE and its own features.",
    )


def write_comparison_files(stem: Path, comparison: Comparison) -> list[Path]:
    """Write ``stem`` with .md, .csv and .h5, and return the paths.

    Raises:
        OutputError: a file cannot be written.
    """
    table = comparison_table(comparison)
    paths = [stem.with_name(f"{stem.name}{suffix}") for suffix in (".md", ".csv", ".h5")]
    write_text(paths[0], markdown(table))
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows([table.header, *table.rows])
    write_text(paths[1], lines.getvalue())
    write_comparison(paths[2], comparison)
    return paths


def markdown(table: ReportTable) -> str:
    """Return a table as Markdown, title above and caption below."""
    lines = [table.header, ["---"] * len(table.header), *table.rows]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"### {table.title}\n\n{body}\n\n{table.caption}\n"


def _row(comparison: Comparison, place: int, has_boxes: bool) -> list[str]:
    accuracy = comparison.metrics["segment_accuracy"][place]
    low, high = comparison.interval[place]
    names = ("event_f1", "background_recall", *(_SPATIAL if has_boxes else ()))
    return [
        comparison.titles[place],
        _spread(accuracy),
        "-" if math.isnan(low) else f"{low:.1%} to {high:.1%}",
        str(int(np.isfinite(accuracy).sum())),
        _percent(float(comparison.paper[place])),
        *(_spread(comparison.metrics[name][place]) for name in names),
    ]


def _baselines(comparison: Comparison, has_boxes: bool) -> list[list[str]]:
    """Return constant answer and class oracle, and where there are boxes the centre's."""
    n_columns = len(_HEADER) + len(_SPATIAL_HEADER) * has_boxes
    rows = [
        [name, _percent(value)]
        for name, value in comparison.baselines.items()
        if not name.startswith(_CENTRE)
    ]
    if f"{_CENTRE}pointing" in comparison.baselines:
        spatial = [_percent(comparison.baselines[f"{_CENTRE}{name}"]) for name in _SPATIAL]
        rows.append(["always the centre", *[""] * (len(_HEADER) - 1), *spatial])
    return [row + [""] * (n_columns - len(row)) for row in rows]


def _spread(values: Sequence[float] | np.ndarray) -> str:
    there = np.asarray(values)[np.isfinite(values)]
    if not there.size:
        return "-"
    mean = f"{there.mean():.1%}"
    return mean if there.size == 1 else f"{mean} +- {100 * there.std(ddof=1):.1f}"


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1%}"
