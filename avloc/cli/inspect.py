"""``avloc inspect``: any artifact, shown to a person."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from avloc.cli import console
from avloc.cli.parameters import printed_as


def inspect(
    file: Annotated[Path, typer.Argument(help="A file that avloc wrote, or a feature store.")],
    show_all: Annotated[
        bool, typer.Option("--all", help="List every tensor of a model's weights.")
    ] = False,
    format: Annotated[str, printed_as("table", "json")] = "table",
    as_json: Annotated[bool, typer.Option("--json", hidden=True)] = False,
) -> None:
    """Show what is in an avloc file or a feature store.

    That is its schema, all its fields, and the name, shape and type of each array. Of a
    localization it shows the events, of a store the videos that failed.
    """
    from avloc.artifacts import describe

    description = describe(file)
    if as_json or format == "json":
        console.data(json.dumps(asdict(description), indent=2, ensure_ascii=False))
        return
    console.data(f"{file}: {description.kind}\n")
    console.show_facts(tuple(description.facts.items()))
    if description.table and (show_all or description.kind != "model"):
        rows = [tuple(row.values()) for row in description.table]
        console.show_table("", tuple(description.table[0]), rows)
