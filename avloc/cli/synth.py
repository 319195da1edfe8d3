"""``avloc synth``: a data set of raw clips whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avloc.cli import console
from avloc.cli.settings import SynthesisSettings


def synth(
    folder: Annotated[Path, typer.Argument(help="The folder to write, in AVE's layout.")],
    train: Annotated[
        int | None, typer.Option(min=1, help="Training clips.", show_default="120")
    ] = None,
    val: Annotated[
        int | None, typer.Option(min=1, help="Validation clips.", show_default="40")
    ] = None,
    test: Annotated[int | None, typer.Option(min=1, help="Test clips.", show_default="40")] = None,
    classes: Annotated[
        int | None, typer.Option(min=2, help="Event classes.", show_default="6")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed.", show_default="0")] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(help="Photographs to show, one sub-folder per class.", show_default="drawn"),
    ] = None,
    sounds: Annotated[
        Path | None,
        typer.Option(
            help="Recordings to play, one sub-folder per class.", show_default="synthesised"
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any other setting, for example sound_noise=0.6. --settings lists them.",
        ),
    ] = None,
    list_settings: SynthesisSettings = False,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes.", show_default="one per core")
    ] = None,
) -> None:
    """Make a labelled data set of artificial clips.

    It has AVE's layout, and the boxes of the sounding objects in boxes.json.
    """
    import avloc

    with console.progress_bar("synth") as progress:
        dataset = avloc.synth(
            folder,
            train=train,
            val=val,
            test=test,
            classes=classes,
            seed=seed,
            pictures=pictures,
            sounds=sounds,
            set=settings or (),
            workers=workers,
            progress=progress,
        )
    n_classes = len({row.label for row in dataset.rows})
    console.say(f"{len(dataset.rows)} clips of {n_classes} classes in {folder}")
