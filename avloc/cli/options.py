"""Options that several commands share, each written once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

Artifacts = Annotated[
    Path | None,
    typer.Option(
        envvar="AVLOC_ARTIFACTS",
        help="The workspace that the commands chain through.",
        show_default="./artifacts",
    ),
]
DatasetRoot = Annotated[
    Path | None,
    typer.Option(
        "--dataset",
        help="A data set's root or a manifest to take labels from.",
        show_default="the one the features came from",
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Weights = Annotated[
    Path | None, typer.Option(help="A folder that is searched for weight files first.")
]
Offline = Annotated[bool, typer.Option("--offline", help="Never open a socket.")]


def paths_or_stdin(paths: list[str]) -> list[Path]:
    """Return the paths; a single ``-`` stands for one path a line on stdin."""
    if paths == ["-"]:
        return [Path(line) for line in sys.stdin.read().splitlines() if line]
    return [Path(path) for path in paths]
