"""``avloc train``: features and labels to a model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from avloc.cli import console
from avloc.cli.parameters import parameters_of
from avloc.cli.settings import TrainingSettings

if TYPE_CHECKING:
    from avloc.training.review import Review


@parameters_of(
    "avloc.stages.train.train",
    model={
        "choices": "avloc.models.registry.MODELS",
        "plugins": "avloc.models",
        "more": "Other packages may add models: avloc doctor lists them.",
    },
    name={"metavar": "NAME"},
)
def train(given: dict[str, Any], list_settings: TrainingSettings = False) -> None:
    """Train, and print the data, the metrics and the file."""
    import avloc
    from avloc.training import is_leader

    with console.progress_bar("train") as progress:
        done = avloc.train(**given, report=_show_review, progress=progress)
    if not is_leader():
        return
    for key, value in done.model.metrics.items():
        if not math.isnan(value):  # as an accuracy where no label has times
            console.say(f"{key}: {value:.4g}")
    n_unreadable = done.model.data["n_unreadable"]
    if n_unreadable:
        console.say(
            f"{n_unreadable} features files cannot be read and were left out; extract again. "
            f"The first: {done.model.data['first_unreadable']}"
        )
    console.say(f"wrote {done.path}")


def _show_review(review: Review) -> None:
    for line in review.lines():
        console.say(line)
