"""``avloc bench``: how fast this machine is."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from avloc.cli import console
from avloc.cli.parameters import parameters_of, printed_as


@parameters_of(
    "avloc.stages.bench.bench",
    clips={"min": 1},
    size={"metavar": "WxH"},
    rounds={"min": 1},
    workers={"min": 0},
    batch_size={"min": 1},
    training={"min": 1, "metavar": "ROWS"},
)
def bench(
    given: dict[str, Any],
    format: Annotated[str, printed_as("table", "json")] = "table",
    as_json: Annotated[bool, typer.Option("--json", hidden=True)] = False,
) -> None:
    """Measure, and print the figures in a format."""
    from avloc.stages.bench import bench as measure

    with console.progress_bar("bench") as progress:
        speed = measure(**given, progress=progress)
    if as_json or format == "json":
        console.data(json.dumps(speed, indent=2))
    else:
        console.show_facts([(name.replace("_", " "), _words(speed[name])) for name in speed])


def _words(value: str | float | list[float]) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
