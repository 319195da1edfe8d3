"""The stage ``synth``: a data set of raw clips whose truth is known."""

from __future__ import annotations

from pathlib import Path

from avloc.datasets import Dataset, SynthesisConfig, synthesize
from avloc.errors import UsageError
from avloc.options import Settings, options_from, values_of
from avloc.progress import Progress


def synth(
    folder: Path | str,
    *,
    train: int | None = None,
    val: int | None = None,
    test: int | None = None,
    classes: int | None = None,
    seed: int | None = None,
    pictures: Path | str | None = None,
    sounds: Path | str | None = None,
    set: Settings = (),
    workers: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Make raw clips in AVE's layout; clips that are there already, of the same, are kept.

    Args:
        folder: where the data set goes.
        train: training clips, 120 by default.
        val: validation clips, 40 by default.
        test: test clips, 40 by default.
        classes: event classes, 6 by default; not with ``pictures``, whose folders are the
            classes.
        seed: another one makes other clips.
        pictures: real photographs, a sub-folder a class; drawn by default.
        sounds: real recordings, a sub-folder a class; synthesised by default.
        set: any other setting of `avloc.datasets.SynthesisConfig`, by name.
        workers: processes; one a core by default.
        progress: called with (clips made, clips, video id).

    Raises:
        UsageError: a value is out of its range. UnknownNameError: there is no such setting.
        DatasetError: the photographs or recordings do not suffice. OutputError: the folder
        cannot be written.
    """
    named = {"n_train": train, "n_val": val, "n_test": test, "n_classes": classes, "seed": seed}
    given: dict[str, object] = {key: value for key, value in named.items() if value is not None}
    given |= values_of(set, example="sound_noise=0.6")
    if (pictures or sounds) and "n_classes" in given:
        raise UsageError(
            "the sub-folders are the classes, so their number cannot be given",
            "Leave --classes out.",
        )
    places = [Path(place) if place else None for place in (pictures, sounds)]
    return synthesize(
        Path(folder),
        options_from(SynthesisConfig, given),
        pictures=places[0],
        sounds=places[1],
        workers=workers,
        progress=progress,
    )
