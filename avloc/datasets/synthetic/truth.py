"""The files beside the clips that say what is in them.

================== ==================================================================
``Annotations.txt`` and the split files: the events, in AVE's layout
``boxes.json``      by video id, one entry a second: the source's ``[x0, y0, x1, y1]``
                    as fractions of the picture where the event is, else ``null``
``synthesis.json``  ``config``, and by video id ``clips``: when the source is ``seen``
                    and ``heard``, the ``event``, and what else is there; with
                    photographs and recordings also which files they are
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
from avloc.datasets.synthetic.cast import Cast
from avloc.datasets.synthetic.composition import ClipPlan
from avloc.datasets.synthetic.synthesis_config import SynthesisConfig
from avloc.errors import DatasetError, OutputError, UsageError, message_of

SYNTHESIS = "synthesis.json"
COUNTS = ("n_train", "n_val", "n_test")
UNWRITTEN_DEFAULTS = ("object_size", "offscreen_gain", "media")
"""Settings that data sets made before there were any do not name: written where they differ."""


@dataclass(frozen=True)
class ClipTruth:
    """A clip's plan and its source's box in every second."""

    plan: ClipPlan
    boxes: list[Box | None]


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
            f"does not say what was made ({message_of(error)})",
            path,
            hint="Make the data set anew.",
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
        differing = [_named(name, theirs[name]) for name in ours if ours[name] != theirs[name]]
        raise OutputError(
            f"{folder} holds clips made with {', '.join(differing)}", "Name another folder."
        )
    if made_with is None:
        _write_synthesis(folder, config, {})


def write_truth(
    folder: Path, config: SynthesisConfig, cast: Cast, truths: Sequence[ClipTruth]
) -> None:
    """Write all that is known of the clips; ``Annotations.txt`` last, since it says "whole".

    Raises:
        OutputError: a file cannot be written.
    """
    clips: dict[str, object] = {
        truth.plan.video_id: _described(truth.plan, cast) for truth in truths
    }
    _write_synthesis(folder, config, clips)
    write_text(
        folder / BOXES, json.dumps({truth.plan.video_id: truth.boxes for truth in truths}) + "\n"
    )
    for split in SPLITS:
        lines = [_line(truth.plan, cast) for truth in truths if truth.plan.split == split]
        write_text(folder / split_file(split), "".join(lines))
    everything = [_line(truth.plan, cast) for truth in truths]
    write_text(folder / ANNOTATIONS, "".join([f"{HEADER}\n", *everything]))


def _without_counts(config: SynthesisConfig) -> dict[str, int | float | str]:
    return {name: value for name, value in asdict(config).items() if name not in COUNTS}


def _named(name: str, value: int | float | str) -> str:
    return "other photographs and recordings, or none" if name == "media" else f"{name} {value}"


def _write_synthesis(folder: Path, config: SynthesisConfig, clips: dict[str, object]) -> None:
    defaults = asdict(SynthesisConfig())
    written = {
        name: value
        for name, value in asdict(config).items()
        if name not in UNWRITTEN_DEFAULTS or value != defaults[name]
    }
    text = json.dumps({"config": written, "clips": clips}, indent=1)
    write_text(folder / SYNTHESIS, text + "\n")


def _described(plan: ClipPlan, cast: Cast) -> dict[str, object]:
    described: dict[str, object] = {
        "split": plan.split,
        "label": cast.label(plan.kind),
        "seen": plan.source.seen,
        "heard": plan.sound.heard,
        "event": plan.event,
        "silent": [{**cast.seen_as(one, plan.split), "seen": one.seen} for one in plan.silent],
        "offscreen": [
            {**cast.heard_as(one, plan.split), "heard": one.heard} for one in plan.offscreen
        ],
    }
    if cast.media:
        described["source"] = {
            **cast.seen_as(plan.source, plan.split),
            **cast.heard_as(plan.sound, plan.split),
        }
    return described


def _line(plan: ClipPlan, cast: Cast) -> str:
    start, end = plan.event
    return f"{cast.label(plan.kind)}&{plan.video_id}&good&{start}&{end}\n"
