"""``avloc reproduce``: the paper's tables, ours beside the paper's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avloc.cli import console
from avloc.cli.options import Artifacts, DatasetRoot, Device
from avloc.errors import AvlocError, PartialFailureError

if TYPE_CHECKING:
    from avloc.reproduction import Reproduction


def reproduce(
    tables: Annotated[list[str], typer.Argument(help="table1, table2 or both.")],
    on: Annotated[
        str | None,
        typer.Option(
            help="drawn, photos, or a recipe's file: make its clips, and extract them.",
            show_default="the features that are there",
        ),
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="For --on photos: photographs, a sub-folder a class.")
    ] = None,
    sounds: Annotated[
        Path | None, typer.Option(help="For --on photos: recordings, a sub-folder a class.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs a row.")] = 5,
    supervision: Annotated[str, typer.Option(help="full, weak, or both.")] = "full,weak",
    features: Annotated[
        Path | None,
        typer.Option(help="A feature store.", show_default="the workspace's"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A training option for all rows, or MODEL.KEY=VALUE for one model's rows.",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Runs side by side.", show_default="one a core, one on a GPU"),
    ] = None,
    device: Device = "auto",
    dataset: DatasetRoot = None,
    artifacts: Artifacts = None,
) -> None:
    """Run a table of the paper, row by row.

    Every row is trained and evaluated over seeds; ours is printed beside the paper's. What is
    done is kept: run it again to go on. Tables go to artifacts/reproduce.
    """
    from avloc.reproduction import reproduce as run_tables

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
    from avloc.reproduction import comparison_table

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
