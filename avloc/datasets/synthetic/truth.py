"""The files beside the clips that say what is in them.

================== ==================================================================
``Annotations.txt`` and the split files: the events, in AVE's layout
``boxes.json``      by video id, one entry a second: the source's ``[x0, y0, x1, y1]``
                    as fractions of the picture where the event is, else ``null``
``synthesis.json``  ``config``, and by video id ``clips``: when the source is ``seen``
                    and ``heard``, the ``event``, and what else is there
================== ==================================================================
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from avloc.artifacts import write_text
from avloc.datasets.ave import ANNOTATIONS, HEADER, split_file
from avloc.datasets.boxes import BOXES, Box
from avloc.datasets.dataset import SPLITS
from avloc.datasets.fields import read_text
from avloc.datasets.synthetic.composition import ClipPlan
from avloc.datasets.synthetic.config import SynthesisConfig
from avloc.datasets.synthetic.looks import LOOKS
from avloc.datasets.synthetic.sounds import SOUNDS
from avloc.errors import DatasetError, OutputError, UsageError

SYNTHESIS = "synthesis.json"
COUNTS = ("n_train", "n_val", "n_test")


@dataclass(frozen=True)
class ClipTruth:
    """A clip's plan and its source's box in every second."""

    plan: ClipPlan
    boxes: list[Box | None]


def label_of(kind: int) -> str:
    """Return a class's label: what its source does, and what it is."""
    return f"{SOUNDS[kind].name} {LOOKS[kind].name}"


def read_config(folder: Path) -> SynthesisConfig | None:
    """Return what a folder's clips were made with, None where nothing was made.

    Raises:
        DatasetError: ``synthesis.json`` is damaged.
    """
    path = folder / SYNTHESIS
    if not path.is_file():
        return None
    try:
        return SynthesisConfig(**json.loads(read_text(path))["config"])
    except (ValueError, TypeError, LookupError, RecursionError, UsageError) as error:
        raise DatasetError(
            f"does not say what was made ({error})", path, hint="Make the data set anew."
        ) from error


def claim(folder: Path, config: SynthesisConfig) -> None:
    """Make a folder ready for the clips of a configuration, or refuse.

    Clips that are there already may stay only if the same configuration made them; the
    number of clips may differ.

    Raises:
        OutputError: the folder holds another data set.
    """
    made_with = read_config(folder)
    if made_with is None and (folder / ANNOTATIONS).exists():
        raise OutputError(f"{folder} holds a data set that was not made", "Name another folder.")
    if made_with is not None and _without_counts(made_with) != _without_counts(config):
        ours, theirs = _without_counts(config), _without_counts(made_with)
        differing = [f"{name} {theirs[name]}" for name in ours if ours[name] != theirs[name]]
        raise OutputError(
            f"{folder} holds clips made with {', '.join(differing)}", "Name another folder."
        )
    if made_with is None:
        _write_synthesis(folder, config, [])


def write_truth(folder: Path, config: SynthesisConfig, truths: Sequence[ClipTruth]) -> None:
    """Write all that is known of the clips; ``Annotations.txt`` last, since it says "whole".

    Raises:
        OutputError: a file cannot be written.
    """
    _write_synthesis(folder, config, truths)
    write_text(
        folder / BOXES, json.dumps({truth.plan.video_id: truth.boxes for truth in truths}) + "\n"
    )
    for split in SPLITS:
        lines = [_line(truth.plan) for truth in truths if truth.plan.split == split]
        write_text(folder / split_file(split), "".join(lines))
    everything = [_line(truth.plan) for truth in truths]
    write_text(folder / ANNOTATIONS, "".join([f"{HEADER}\n", *everything]))


def _without_counts(config: SynthesisConfig) -> dict[str, int | float]:
    return {name: value for name, value in asdict(config).items() if name not in COUNTS}


def _write_synthesis(folder: Path, config: SynthesisConfig, truths: Sequence[ClipTruth]) -> None:
    clips = {truth.plan.video_id: _described(truth.plan) for truth in truths}
    text = json.dumps({"config": asdict(config), "clips": clips}, indent=1)
    write_text(folder / SYNTHESIS, text + "\n")


def _described(plan: ClipPlan) -> dict[str, object]:
    return {
        "split": plan.split,
        "label": label_of(plan.kind),
        "seen": plan.source.seen,
        "heard": plan.sound.heard,
        "event": plan.event,
        "silent": [{"look": LOOKS[one.kind].name, "seen": one.seen} for one in plan.silent],
        "offscreen": [
            {"sound": SOUNDS[one.kind].name, "heard": one.heard} for one in plan.offscreen
        ],
    }


def _line(plan: ClipPlan) -> str:
    start, end = plan.event
    return f"{label_of(plan.kind)}&{plan.video_id}&good&{start}&{end}\n"
