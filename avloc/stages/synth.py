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
    train: int = SynthesisConfig.n_train,
    val: int = SynthesisConfig.n_val,
    test: int = SynthesisConfig.n_test,
    classes: int | None = None,
    seed: int = SynthesisConfig.seed,
    events: int = SynthesisConfig.events,
    pictures: Path | str | None = None,
    sounds: Path | str | None = None,
    set: Settings = (),
    workers: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Make a labelled data set of artificial clips.

    Its truth lies beside the clips: the boxes of the sounding objects in boxes.json, and what is
    heard and seen in each second in senses.json. Existing clips are kept if they were made from
    the same settings.

    By default a clip has one event, which is both seen and heard, and the data set has AVE's
    layout. With more events, or with --set heard_only=0.3, seen_only=0.3 or late=0.3, a clip may
    have several at once, each heard, seen or both; a manifest lists them, with the sense that
    knows each. --set inconsistent_seconds=0.5 sets the share of seconds in which sound and
    picture disagree, in clips of one event.

    Args:
        folder: The folder to write, in AVE's layout or with a manifest.
        train: Training clips.
        val: Validation clips.
        test: Test clips.
        classes: Event classes; photographs and recordings bring their own, one per sub-folder.
            Default: ``SynthesisConfig.n_classes``.
        seed: Random seed.
        events: Most events in a clip, each of its own class.
        pictures: Photographs to show, one sub-folder per class. Default: drawn.
        sounds: Recordings to play, one sub-folder per class. Default: synthesised.
        set: Any other setting, for example sound_noise=0.6.
        workers: Processes. Default: one per core.
        progress: called with (clips made, clips, video id).

    Raises:
        UsageError: a value is out of its range. UnknownNameError: there is no such setting.
        DatasetError: there are too few photographs or recordings. OutputError: the folder
        cannot be written.
    """
    given: dict[str, object] = {"n_train": train, "n_val": val, "n_test": test}
    given |= {"seed": seed, "events": events}
    if classes is not None:
        given["n_classes"] = classes
    given |= values_of(set, example="sound_noise=0.6")
    if (pictures or sounds) and "n_classes" in given:
        raise UsageError(
            "the sub-folders are the classes, so their number cannot be given",
            "Leave --classes out.",
        )
    return synthesize(
        Path(folder),
        options_from(SynthesisConfig, given),
        pictures=Path(pictures) if pictures else None,
        sounds=Path(sounds) if sounds else None,
        workers=workers,
        progress=progress,
    )
