"""``avloc synth``: a data set of artificial clips whose truth is known."""

from __future__ import annotations

from typing import Any

from avloc.cli import console
from avloc.cli.parameters import parameters_of
from avloc.cli.settings import SynthesisSettings


@parameters_of(
    "avloc.stages.synth.synth",
    train={"min": 1},
    val={"min": 1},
    test={"min": 1},
    classes={"min": 2},
    events={"min": 1},
    workers={"min": 0},
)
def synth(given: dict[str, Any], list_settings: SynthesisSettings = False) -> None:
    """Make the clips, and print how many."""
    import avloc
    from avloc.datasets.synthetic import read_inconsistency

    with console.progress_bar("synth") as progress:
        dataset = avloc.synth(**given, progress=progress)
    n_classes = len({row.label for row in dataset.rows})
    n_clips = len({row.video_id for row in dataset.rows})
    console.say(f"{n_clips} clips of {n_classes} classes in {given['folder']}")
    share = read_inconsistency(given["folder"])
    if share is not None:
        console.say(f"sound and picture disagree in {share:.1%} of the seconds")
