"""``avloc verify``: which files were damaged since avloc wrote them?"""

from __future__ import annotations

from typing import Any

from avloc.cli import console
from avloc.cli.parameters import parameters_of
from avloc.errors import AvlocError, PartialFailureError


@parameters_of("avloc.stages.verify.verify")
def verify(given: dict[str, Any]) -> None:
    """Check the files, and print those that are bad.

    A line is printed for each bad file: the path, a tab, the reason.
    """
    import avloc

    with console.progress_bar("verify") as progress:
        done = avloc.verify(**given, progress=progress)
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
