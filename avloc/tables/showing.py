"""A comparison as a table, and as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import Comparison, write_comparison, write_text
from avloc.tables.comparing import FULL
from avloc.tables.numbers import BACKGROUND, BOUNDARY, CENTRE, SPATIAL_COLUMNS, accuracies_of
from avloc.tables.table import Table, interval, percent

_HEADER = (
    *("model", "ours", "95 % interval", "seeds", "paper", "event F1"),
    *("boundary clips", "background found"),
)
_BESIDE = ("event_f1", "boundary_accuracy", "background_recall")
_MARK = "*"
_PAIRED = (
    f" {_MARK}: the difference is not 0 by its paired 95 % interval, the same videos drawn again "
    "for both models."
)


def comparison_table(comparison: Comparison) -> Table:
    """Return a row for each model with the mean and deviation over seeds; baselines last."""
    metrics = comparison.metrics
    spatial = {name: title for name, title in SPATIAL_COLUMNS.items() if name in metrics}
    paired = comparison.full_minus_row
    full = comparison.made.get(FULL)
    minus = () if paired is None else (f"{full} minus it",)
    header = (*_HEADER, *minus, *spatial.values())
    rows = [
        [
            title,
            spread(metrics["segment_accuracy"][k]),
            interval(comparison.interval[k]),
            str(int(np.isfinite(metrics["segment_accuracy"][k]).sum())),
            percent(comparison.paper[k]),
            *(spread(metrics[n][k]) for n in _BESIDE),
            *(() if paired is None else ("" if title == full else _difference(paired[k]),)),
            *(spread(metrics[n][k]) for n in spatial),
        ]
        for k, title in enumerate(comparison.titles)
    ]
    baselines = comparison.baselines
    for title, accuracy in accuracies_of(baselines).items():
        beside = [percent(baselines.get(f"{of}{title}")) for of in (BOUNDARY, BACKGROUND)]
        rows.append([title, percent(accuracy), *[""] * 4, *beside])
    if f"{CENTRE}pointing" in baselines:
        centre = [percent(baselines[f"{CENTRE}{name}"]) for name in spatial]
        rows.append(["always the centre", *[""] * (len(_HEADER) + len(minus) - 1), *centre])
    return Table(
        title=f"{comparison.table}, supervision: {comparison.supervision}",
        header=header,
        rows=[row + [""] * (len(header) - len(row)) for row in rows],
        caption="; ".join(f"{name}: {value}" for name, value in comparison.made.items())
        + ". Boundary clips: accuracy on the clips whose class changes. The interval is of the "
        "mean over seeds, videos drawn again; +- is the deviation between seeds. "
        "The paper's numbers are of AVE and its own features."
        + ("" if paired is None else _PAIRED),
    )


def write_comparison_files(stem: Path, comparison: Comparison) -> list[Path]:
    """Write ``stem`` with .md, .csv and .h5, and return the paths."""
    table = comparison_table(comparison)
    paths = [stem.with_name(f"{stem.name}{suffix}") for suffix in (".md", ".csv", ".h5")]
    write_text(paths[0], table.markdown())
    write_text(paths[1], table.csv())
    write_comparison(paths[2], comparison)
    return paths


def _difference(of_row: NDArray[np.float64]) -> str:
    """Return a difference in points, marked if its interval excludes 0."""
    mean, low, high = of_row
    if np.isnan(mean):
        return "-"
    return f"{100 * mean:+.1f}{f' {_MARK}' if low > 0 or high < 0 else ''}"


def spread(values: NDArray[np.float64]) -> str:
    """Return the mean and deviation of the seeds that are done."""
    done = values[np.isfinite(values)]
    if not done.size:
        return "-"
    mean = f"{done.mean():.1%}"
    return mean if done.size == 1 else f"{mean} +- {100 * done.std(ddof=1):.1f}"
