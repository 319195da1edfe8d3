"""``avloc synth``: a data set of raw clips whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avloc.cli import console


def synth(
    folder: Annotated[Path, typer.Argument(help="Where the data set goes, in AVE's layout.")],
    train: Annotated[int, typer.Option(min=1, help="Training clips.")] = 120,
    val: Annotated[int, typer.Option(min=1, help="Validation clips.")] = 40,
    test: Annotated[int, typer.Option(min=1, help="Test clips.")] = 40,
    classes: Annotated[int, typer.Option(min=2, help="Event classes.")] = 6,
    seed: Annotated[int, typer.Option(help="Another seed, other clips.")] = 0,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes.", show_default="one a core")
    ] = None,
) -> None:
    """Make raw clips whose truth is known.

    In AVE's layout, with the boxes of the sounding objects in boxes.json.
    """
    from avloc.datasets import SynthesisConfig, synthesize

    config = SynthesisConfig(n_train=train, n_val=val, n_test=test, n_classes=classes, seed=seed)
    with console.progress_bar("synth") as progress:
        dataset = synthesize(folder, config, workers=workers, progress=progress)
    console.say(f"{len(dataset.rows)} clips of {classes} classes in {folder}")
