"""``avloc inspect``: what is in a file."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from avloc.cli import console
from avloc.cli.parameters import parameters_of, printed_as


@parameters_of("avloc.artifacts.inspection.describe")
def inspect(
    given: dict[str, Any],
    show_all: Annotated[
        bool, typer.Option("--all", help="List every tensor of a model's weights.")
    ] = False,
    format: Annotated[str, printed_as("table", "json")] = "table",
    as_json: Annotated[bool, typer.Option("--json", hidden=True)] = False,
) -> None:
    """Describe the file, and print it in a format."""
    from avloc.artifacts import describe

    description = describe(**given)
    if as_json or format == "json":
        console.data(json.dumps(asdict(description), indent=2, ensure_ascii=False))
        return
    console.data(f"{given['file']}: {description.kind}\n")
    console.show_facts(tuple(description.facts.items()))
    if description.table and (show_all or description.kind != "model"):
        rows = [tuple(row.values()) for row in description.table]
        console.show_table("", tuple(description.table[0]), rows)
