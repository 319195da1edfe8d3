"""``avloc reproduce``: the paper's tables, ours beside the paper's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avloc.cli import console
from avloc.cli.choices import CLIP_SOURCES, SUPERVISIONS, TABLES, choice_argument, completing
from avloc.cli.parameters import Artifacts, DatasetRoot, Device
from avloc.cli.settings import TrainingSettings
from avloc.errors import AvlocError, PartialFailureError

if TYPE_CHECKING:
    from avloc.tables.reproduction import Reproduction


def reproduce(
    tables: Annotated[
        list[str],
        choice_argument("table", TABLES, help="The paper's tables to run, one or several."),
    ],
    on: Annotated[
        str | None,
        typer.Option(
            metavar="|".join((*CLIP_SOURCES, "FILE")),
            help="Make clips and extract them: drawn ones, ones from photographs and recordings, "
            "or those of a recipe file.",
            show_default="the workspace's features",
            autocompletion=completing(CLIP_SOURCES),
        ),
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="For --on photos: photographs, one sub-folder per class.")
    ] = None,
    sounds: Annotated[
        Path | None, typer.Option(help="For --on photos: recordings, one sub-folder per class.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs per row, each with another seed.")] = 5,
    supervision: Annotated[
        str,
        typer.Option(
            metavar="full|weak|full,weak",
            help="Train on the label of each segment, on that of the video only, or both in turn.",
            autocompletion=completing((*SUPERVISIONS, "full,weak")),
        ),
    ] = "full,weak",
    features: Annotated[
        Path | None,
        typer.Option(help="A feature store.", show_default="the workspace's"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A training setting for all rows, or MODEL.KEY=VALUE for the rows of one model. "
            "--settings lists them.",
        ),
    ] = None,
    list_settings: TrainingSettings = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Runs at the same time.", show_default="one per core, one on a GPU"
        ),
    ] = None,
    device: Device = "auto",
    dataset: DatasetRoot = None,
    artifacts: Artifacts = None,
) -> None:
    """Run a table of the paper, row by row.

    Every row is trained and evaluated with several seeds, and printed beside the paper's
    number. Finished runs are kept: after an interruption, run the same command again. The
    tables are written to artifacts/reproduce.
    """
    from avloc.tables.reproduction import reproduce as run_tables

    with console.progress_bar("reproduce") as progress:
        done = run_tables(
            tables,
            on=on,
            artifacts=artifacts,
            features=features,
            dataset=dataset,
            seeds=seeds,
            supervision=supervision,
            pictures=pictures,
            sounds=sounds,
            set=settings or (),
            device=device,
            jobs=jobs,
            progress=progress,
        )
    _show(done)


def _show(done: Reproduction) -> None:
    from avloc.tables.showing import comparison_table

    for comparison in done.comparisons:
        table = comparison_table(comparison)
        console.show_table(table.title, table.header, table.rows)
        console.data(table.caption)
    for path in done.written:
        console.say(f"wrote {path}")
    for failure in done.failures:
        console.say(f"failed: {failure.run.row.name}, seed {failure.run.seed}: {failure.reason}")
    n_failed = len(done.failures)
    if n_failed and not any(c.baselines for c in done.comparisons):
        raise AvlocError(f"no run came to its end ({n_failed} failed)")
    if n_failed:
        raise PartialFailureError(f"{n_failed} runs failed; run it again to try only those")
