"""``avloc calibrate``: a model's thresholds, fitted to a few corrected videos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from avloc.cli import console
from avloc.cli.parameters import parameters_of

if TYPE_CHECKING:
    from avloc.stages.calibrate import CalibratedModel


@parameters_of(
    "avloc.stages.calibrate.calibrate",
    model={"metavar": "NAME"},
    name={"metavar": "NAME"},
)
def calibrate(given: dict[str, Any]) -> None:
    """Calibrate, and print the thresholds before and after."""
    import avloc

    with console.progress_bar("calibrate") as progress:
        done = avloc.calibrate(**given, progress=progress)
    _show(done)
    for reason in done.failed:
        console.say(f"left out: {reason}")
    if done.unknown:
        console.say(f"labels that the model does not know: {', '.join(done.unknown)}")
    if done.few:
        console.say(f"warning: fewer than 3 videos have an example of {', '.join(done.few)}")
    console.say(f"wrote {done.path}")


def _show(done: CalibratedModel) -> None:
    """Print the labels with examples, and how many keep their threshold."""
    from avloc.tables.table import percent

    rows = [
        [
            *(label, str(of.n_videos), str(of.n_segments)),
            *(f"{of.before:.3f}", f"{of.after:.3f}"),
            *(percent(of.f1_before), percent(of.f1_after), percent(of.f1_left_out)),
        ]
        for label, of in done.thresholds.items()
        if of.n_videos
    ]
    header = ["label", "videos", "segments", "before", "after"]
    header += ["F1 before", "F1 after", "F1 left out"]
    console.show_table(f"Thresholds, fitted to {done.n_videos} videos", header, rows)
    console.data("F1 left out: each video answered with a threshold fitted to the others.")
    without = sum(not of.n_videos for of in done.thresholds.values())
    if without:
        console.say(f"{without} labels have no example and keep their threshold")
    before, after = done.sense_thresholds
    if before != after:
        words = [f"{sense} {x:.3f}" for sense, x in zip(("heard", "seen"), after, strict=True)]
        console.say(f"thresholds of the senses: {', '.join(words)}")
