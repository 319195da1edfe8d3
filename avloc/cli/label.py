"""``avloc label``: a model's events as a manifest to correct and to train on."""

from __future__ import annotations

import shlex
from typing import Any

from avloc.cli import console
from avloc.cli.parameters import parameters_of
from avloc.errors import PartialFailureError


@parameters_of(
    "avloc.stages.label.label",
    videos={"more": "A single - reads paths from stdin."},
    labels={"flags": ("--label",)},
    model={"metavar": "NAME"},
    out={"flags": ("--out", "-o")},
    format={"choices": "avloc.stages.label.TASKS"},
    val_share={"min": 0, "max": 1},
    test_share={"min": 0, "max": 1},
)
def label(given: dict[str, Any]) -> None:
    """Label, and print how many events of each label there are."""
    import avloc
    from avloc.datasets import count_labels

    given["videos"] = console.paths_or_stdin(given["videos"])
    with console.progress_bar("label") as progress:
        done = avloc.label(**given, progress=progress, notice=console.say)
    for line in count_labels(done.dataset).lines():
        console.say(line)
    if done.unfound:
        console.say(f"found nowhere: {', '.join(done.unfound)}")
    for failure in done.failed:
        assert failure.error is not None
        console.say(f"failed: {failure.video}: {console.one_line(failure.error)}")
    console.say(f"wrote {', '.join(map(str, done.written))}")
    path = shlex.quote(str(done.written[0]))
    console.say(f"correct {done.written[0]}, then: avloc extract {path}; avloc train")
    if done.failed:
        n_videos = len(done.failed) + len(done.dataset.videos)
        raise PartialFailureError(f"{len(done.failed)} of {n_videos} videos failed")
