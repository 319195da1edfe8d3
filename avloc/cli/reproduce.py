"""``avloc reproduce``: the paper's tables, ours beside the paper's, and a study of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from avloc.cli import console
from avloc.cli.parameters import parameters_of
from avloc.cli.settings import TrainingSettings
from avloc.errors import AvlocError, PartialFailureError

if TYPE_CHECKING:
    from avloc.tables.reproduction import Reproduction


@parameters_of(
    "avloc.tables.reproduction.reproduce",
    tables={"choices": ("inconsistency", "table1", "table2")},
    on={"metavar": "drawn|photos|FILE", "completes": ("drawn", "photos")},
    seeds={"min": 1},
    supervision={"metavar": "full|weak|full,weak", "completes": ("full", "weak", "full,weak")},
    jobs={"min": 1},
)
def reproduce(given: dict[str, Any], list_settings: TrainingSettings = False) -> None:
    """Run the tables, and print them."""
    from avloc.tables.reproduction import reproduce as run_tables

    with console.progress_bar("reproduce") as progress:
        done = run_tables(**given, progress=progress)
    _show(done)


def _show(done: Reproduction) -> None:
    for table in done.tables:
        console.show_table(table.title, table.header, table.rows)
        console.data(table.caption)
    for path in done.written:
        console.say(f"wrote {path}")
    for failure in done.failures:
        console.say(
            f"failed: {failure.run.row.name}, seed {failure.run.training.seed}: {failure.reason}"
        )
    n_failed = len(done.failures)
    if n_failed and not any(c.baselines for c in done.comparisons):
        raise AvlocError(f"no run came to its end ({n_failed} failed)")
    if n_failed:
        raise PartialFailureError(f"{n_failed} runs failed; run it again to try only those")
