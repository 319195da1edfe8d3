"""``avloc inspect``: any artifact, shown to a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from avloc.cli import console
from avloc.cli.choices import choice


def inspect(
    file: Annotated[Path, typer.Argument(help="A file that avloc wrote, or a feature store.")],
    show_all: Annotated[
        bool, typer.Option("--all", help="List every tensor of a model's weights.")
    ] = False,
    format: Annotated[
        str, choice(("table", "json"), help="How the contents are printed.")
    ] = "table",
    as_json: Annotated[bool, typer.Option("--json", hidden=True)] = False,
) -> None:
    """Show what is in an avloc file.

    That is features, a feature store, a model, predictions or a localization.
    """
    as_json = as_json or format == "json"
    from avloc.artifacts import describe

    description = describe(file)
    if as_json:
        table = [dict(zip(description.header, row, strict=True)) for row in description.rows]
        value = {"kind": description.kind, **dict(description.facts), "table": table}
        console.data(json.dumps(value, indent=2, ensure_ascii=False))
        return
    console.data(f"{file}: {description.kind}\n")
    console.show_facts(description.facts)
    if description.rows and (show_all or not description.is_detail):
        console.show_table("", description.header, description.rows)
