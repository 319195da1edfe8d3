"""``avloc bench``: how fast this machine is."""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avloc.cli import console
from avloc.cli.parameters import parameters_of, printed_as

if TYPE_CHECKING:
    from avloc.stages.bench_comparison import Comparison


@parameters_of(
    "avloc.stages.bench.bench",
    clips={"min": 1},
    size={"metavar": "WxH"},
    rounds={"min": 1},
    workers={"min": 0},
    batch_size={"min": 1},
    training={"min": 1, "metavar": "ROWS"},
    against={"metavar": "KEY=VALUE"},
)
def bench(
    given: dict[str, Any],
    format: Annotated[str, printed_as("table", "json")] = "table",
    as_json: Annotated[bool, typer.Option("--json", hidden=True)] = False,
) -> None:
    """Measure, and print the figures in a format."""
    from avloc.stages.bench import bench as measure
    from avloc.stages.bench_comparison import Comparison

    with console.progress_bar("bench") as progress:
        speed = measure(**given, progress=progress)
    if as_json or format == "json":
        shown = speed.as_dict() if isinstance(speed, Comparison) else speed
        console.data(json.dumps(shown, indent=2))
    elif isinstance(speed, Comparison):
        rows = [
            [name.replace("_", " "), *(_cell(speed, name, k) for k in range(len(speed.names)))]
            for name in speed.measures()
        ]
        title = (
            f"medians of {len(speed.rounds)} rounds, and ratios to the first (lowest to highest)"
        )
        console.show_table(title, ["", *speed.names], rows)
    else:
        console.show_facts([(name.replace("_", " "), _words(speed[name])) for name in speed])


def _words(value: str | float | list[float]) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _cell(comparison: Comparison, measure: str, which: int) -> str:
    """Return a median; of all configurations but the first, its ratio with its spread too."""
    value = f"{median(comparison.values(measure, which)):.4g}"
    if not which:
        return value
    ratios = comparison.ratios(measure, which)
    return f"{value}  × {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
