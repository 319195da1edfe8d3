"""The study of inconsistency as a table, a figure, and files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from avloc.artifacts import Comparison, write_text
from avloc.evaluation.paired import PairedDifference
from avloc.export.figures.curves_figure import Curve, Panel, curves_figure
from avloc.export.figures.figure_file import write_figure
from avloc.tables.inconsistency import INCONSISTENCY
from avloc.tables.numbers import accuracies_of
from avloc.tables.share_results import SECONDS, ShareResult
from avloc.tables.showing import spread, write_comparison_files
from avloc.tables.table import Table, percent

_FIGURES = (".pdf", ".png", ".svg")


def share_table(results: Sequence[ShareResult]) -> Table:
    """Return a row for each share and model: its accuracies, and how far above the first's."""
    first = results[0].comparison
    columns = [
        words
        for metric, seconds in SECONDS.items()
        for words in (seconds, f"minus {first.titles[0]}, 95 % interval")
    ]
    rows = []
    for result in results:
        for k, title in enumerate(result.comparison.titles):
            cells = []
            for metric in SECONDS:
                cells.append(spread(result.comparison.metrics[metric][k]))
                cells.append(_in_words(result.differences[metric][k]))
            rows.append([percent(result.share), title, *cells])
    return Table(
        title=f"Accuracy over the share of inconsistent seconds, supervision: {first.supervision}",
        header=("inconsistent", "model", *columns),
        rows=rows,
        caption=_caption(results),
    )


def _caption(results: Sequence[ShareResult]) -> str:
    made = {name: value for name, value in results[0].comparison.made.items() if name != "data set"}
    baselines = accuracies_of(results[0].comparison.baselines)
    trivial = ", ".join(f"{title} {percent(value)}" for title, value in baselines.items())
    return (
        "In an inconsistent second something is seen and not heard, or heard and not seen. The "
        "events are the same for every share, and each model is trained and tested on each share; "
        f"{len(results[0].comparison.seeds)} seeds, +- is the deviation between them. A difference "
        "is that of the mean over seeds; its interval draws the test videos again, the same for "
        f"both models. Without a model, over all seconds: {trivial}; "
        + "; ".join(f"{name}: {value}" for name, value in made.items())
        + "."
    )


def _in_words(difference: PairedDifference | None) -> str:
    if difference is None:
        return "-"
    low, high = difference.interval
    return f"{100 * difference.mean:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def write_share_files(folder: Path, results: Sequence[ShareResult]) -> list[Path]:
    """Write the table, the figure, and the comparison of each share; return the paths."""
    supervision = results[0].comparison.supervision.replace(", ", "-")
    stem = folder / f"{INCONSISTENCY}-{supervision}"
    table, figure = share_table(results), _figure(results)
    written = [stem.with_name(f"{stem.name}{suffix}") for suffix in (".md", ".csv", *_FIGURES)]
    write_text(written[0], table.markdown())
    write_text(written[1], table.csv())
    for path in written[2:]:
        write_figure(figure, path)
    for result in results:
        share = result.comparison.table.split()[1]
        written += write_comparison_files(
            folder / f"{INCONSISTENCY}-{share}-{supervision}", result.comparison
        )
    return written


def _figure(results: Sequence[ShareResult]) -> Figure:
    """Draw accuracy over the share, and below it what each model has above the first."""
    first = results[0].comparison.titles[0]
    above = [
        Panel(f"Accuracy, {seconds}", "percent", _accuracies(results, metric))
        for metric, seconds in SECONDS.items()
    ]
    below = [
        Panel(f"Above {first}, {seconds}", "points", _differences(results, metric), has_zero=True)
        for metric, seconds in SECONDS.items()
    ]
    return curves_figure(
        [100 * result.share for result in results],
        [above, below],
        x_label="inconsistent seconds in percent, in training and test",
        note="Bars: above, the deviation between seeds; below, 95 % of the paired bootstrap over "
        "test videos.",
    )


def _accuracies(results: Sequence[ShareResult], metric: str) -> list[Curve]:
    curves = []
    for k, title in enumerate(results[0].comparison.titles):
        means, deviations = np.transpose([_moments(r.comparison, metric, k) for r in results])
        curves.append(Curve(title, means, means - deviations, means + deviations))
    return curves


def _moments(comparison: Comparison, metric: str, k: int) -> tuple[float, float]:
    """Return the mean and deviation over seeds in percent; no deviation of a single seed."""
    values = 100 * comparison.metrics[metric][k]
    done = values[np.isfinite(values)]
    deviation = float(done.std(ddof=1)) if done.size > 1 else 0.0
    return (float(done.mean()), deviation) if done.size else (np.nan, np.nan)


def _differences(results: Sequence[ShareResult], metric: str) -> list[Curve]:
    curves = []
    for k, title in enumerate(results[0].comparison.titles):
        of_shares = [result.differences[metric][k] for result in results]
        if any(of_shares):
            mean, low, high = np.transpose(
                [
                    (np.nan,) * 3 if d is None else (100 * d.mean, *(100 * np.array(d.interval)))
                    for d in of_shares
                ]
            )
            curves.append(Curve(title, mean, low, high))
    return curves
