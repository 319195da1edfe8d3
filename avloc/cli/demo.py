"""``avloc demo``: the whole product on data it makes itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from avloc.cli import console
from avloc.cli.parameters import parameters_of

if TYPE_CHECKING:
    from avloc.progress import Progress


@parameters_of("avloc.tables.demonstration.run_demo")
def demo(given: dict[str, Any]) -> None:
    """Run the demo, and print the table and the files."""
    from avloc.tables.demonstration import run_demo

    begun = time.monotonic()
    with console.progress_bar("demo") as progress:
        made = run_demo(**given, progress=_announcing(progress))
    for table in made.tables:
        console.show_table(table.title, table.header, table.rows)
        console.data(table.caption)
    console.show_table(made.open.table.title, made.open.table.header, made.open.table.rows)
    console.data(made.open.table.caption)
    for note in made.open.notes:
        console.data(note)
    for heatmap in (*made.heatmaps, *made.open.heatmaps):
        console.data(f"heat map  {heatmap}")
    console.data(f"results   {made.results}")
    console.data(f"report    {made.report}")
    console.data(f"          {made.open.report}")
    console.say(f"done in {time.monotonic() - begun:.0f} s; open {made.report} in a browser")


def _announcing(progress: Progress) -> Progress:
    """Also say each step once as it begins, for those who see no bar."""
    announced: set[str] = set()

    def report(done: float, total: int, what: str) -> None:
        step = what.partition(":")[0]
        if step not in announced:
            announced.add(step)
            console.say(f"{step} ...")
        progress(done, total, what)

    return report
