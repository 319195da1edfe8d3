"""Options that several commands share, each written once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from avloc.cli import choices
from avloc.errors import MediaError
from avloc.options import OVERWRITE

Artifacts = Annotated[
    Path | None,
    typer.Option(
        envvar="AVLOC_ARTIFACTS",
        help="The workspace: the folder in which the commands leave files for each other.",
        show_default="./artifacts",
    ),
]
DatasetRoot = Annotated[
    Path | None,
    typer.Option(
        "--dataset",
        help="The labels: a data set's folder, or a manifest.",
        show_default="the data set that the features came from",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        metavar="|".join(choices.DEVICES),
        help="Where the networks run.",
        autocompletion=choices.completing(choices.DEVICES[:-1]),
    ),
]
Visual = Annotated[
    str, choices.choice("visual encoder", choices.VISUAL_ENCODERS, help="The visual encoder.")
]
Audio = Annotated[
    str, choices.choice("audio encoder", choices.AUDIO_ENCODERS, help="The audio encoder.")
]
Precision = Annotated[
    str,
    choices.choice(
        "precision", choices.PRECISIONS, help="The encoders' arithmetic; auto: fp16 on CUDA."
    ),
]
Runtime = Annotated[
    str,
    choices.choice(
        "runtime",
        choices.RUNTIMES,
        help="What runs the encoders; auto: the fastest one that is installed.",
    ),
]
Overwrite = Annotated[
    str,
    choices.choice(
        "way to overwrite",
        OVERWRITE,
        help="Which existing results to make again. stale: those made from another video, or "
        "with another model or other settings.",
    ),
]
Weights = Annotated[
    Path | None, typer.Option(help="A folder with weight files, searched before any download.")
]
Offline = Annotated[bool, typer.Option("--offline", help="Never use the network.")]


def paths_or_stdin(paths: list[str]) -> list[str]:
    """Return the paths as they were typed; a single ``-`` stands for one path a line on stdin.

    Raises:
        MediaError: stdin is empty.
    """
    if paths != ["-"]:
        return paths
    listed = [line for line in sys.stdin.read().splitlines() if line]
    if not listed:
        raise MediaError(
            "the list on stdin is empty", "Write one path a line; check the command before the |."
        )
    return listed
