"""``avloc verify``: which files were damaged since avloc wrote them?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avloc.cli import console
from avloc.errors import AvlocError, PartialFailureError


def verify(
    paths: Annotated[
        list[Path], typer.Argument(help="Files that avloc wrote, and feature stores.")
    ],
) -> None:
    """Check files and feature stores for damage.

    Reads every byte and compares it with the digests in the files. Prints a line for each bad
    file: the path, a tab, the reason.
    """
    import avloc

    with console.progress_bar("verify") as progress:
        done = avloc.verify(paths, progress=progress)
    for path, reason in done.bad:
        console.data(f"{path}\t{' '.join(reason.split())}")
    counts = f"{done.n_checked} checked, {len(done.bad)} bad"
    if done.undigested:
        counts += f", {len(done.undigested)} with no digest (format 1): changed numbers pass there"
    if not done.bad:
        console.say(counts)
        return
    hint = "Make the bad files again; avloc extract does so by itself if they are removed."
    if len(done.bad) == done.n_checked:
        raise AvlocError(counts, hint)
    raise PartialFailureError(counts, hint)
