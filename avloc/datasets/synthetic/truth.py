"""The files beside the clips that say what is in them.

================== ==================================================================
``Annotations.txt`` and the split files: the events, in AVE's layout
``boxes.json``      by video id, one entry a second: the source's ``[x0, y0, x1, y1]``
                    as fractions of the picture where the event is, else ``null``
``synthesis.json``  ``config``, and by video id ``clips``: when the source is ``seen``
                    and ``heard``, the ``event``, and the other objects and sounds;
                    photographs and recordings are named by file
================== ==================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from avloc.artifacts import write_text
from avloc.datasets.ave import ANNOTATIONS, HEADER, split_file
from avloc.datasets.boxes import BOXES, SegmentBoxes
from avloc.datasets.dataset import SPLITS
from avloc.datasets.fields import read_text
from avloc.datasets.synthetic.composition import ClipPlan, ObjectPlan, SoundPlan
from avloc.datasets.synthetic.material import Material
from avloc.datasets.synthetic.synthesis_config import SynthesisConfig
from avloc.errors import DatasetError, OutputError, UsageError, message_of

SYNTHESIS = "synthesis.json"
COUNTS = ("n_train", "n_val", "n_test")
NEWER_SETTINGS = ("object_size", "offscreen_gain", "media")
"""Settings that older data sets do not name: they are written where they differ."""


def read_config(folder: Path) -> SynthesisConfig | None:
    """Return the settings of a folder's clips, or None if they were not synthesised."""
    path = folder / SYNTHESIS
    if not path.is_file():
        return None
    try:
        return SynthesisConfig(**json.loads(read_text(path))["config"])
    except (ValueError, TypeError, LookupError, RecursionError, UsageError) as error:
        raise DatasetError(
            f"does not hold the settings of its clips ({message_of(error)})",
            path,
            hint="Make the data set again.",
        ) from error


def prepare_folder(folder: Path, config: SynthesisConfig) -> None:
    """Note the configuration in a folder for clips; refuse a folder of another data set."""
    made_with = read_config(folder)
    if made_with is None:
        if (folder / ANNOTATIONS).exists():
            raise OutputError(
                f"{folder} holds a data set that was not synthesised", "Name another folder."
            )
        _write_synthesis(folder, config, {})
        return
    wanted = asdict(config)
    differing = [
        "other photographs and recordings, or none" if name == "media" else f"{name} {value}"
        for name, value in asdict(made_with).items()
        if name not in COUNTS and value != wanted[name]
    ]
    if differing:
        message = f"{folder} holds clips made with {', '.join(differing)}"
        raise OutputError(message, "Name another folder.")


def write_truth(
    folder: Path,
    config: SynthesisConfig,
    material: Material,
    plans: Sequence[ClipPlan],
    boxes: SegmentBoxes,
) -> None:
    """Write all that is known of the clips; ``Annotations.txt`` comes last, as it says "whole"."""
    lines = dict.fromkeys(SPLITS, "")
    for plan in plans:
        start, end = plan.event
        label = material.label(plan.class_index)
        lines[plan.split] += f"{label}&{plan.video_id}&good&{start}&{end}\n"
    clips = {plan.video_id: _description(plan, material) for plan in plans}
    _write_synthesis(folder, config, clips)
    in_order = {plan.video_id: boxes[plan.video_id] for plan in plans}
    write_text(folder / BOXES, json.dumps(in_order) + "\n")
    for split in SPLITS:
        write_text(folder / split_file(split), lines[split])
    write_text(folder / ANNOTATIONS, f"{HEADER}\n{''.join(lines.values())}")


def _write_synthesis(folder: Path, config: SynthesisConfig, clips: Mapping[str, object]) -> None:
    defaults = asdict(SynthesisConfig())
    written = {
        name: value
        for name, value in asdict(config).items()
        if name not in NEWER_SETTINGS or value != defaults[name]
    }
    text = json.dumps({"config": written, "clips": clips}, indent=1)
    write_text(folder / SYNTHESIS, text + "\n")


def _description(plan: ClipPlan, material: Material) -> dict[str, object]:
    def describe(item: ObjectPlan | SoundPlan) -> dict[str, object]:
        return material.describe(item, plan.split)

    description: dict[str, object] = {
        "split": plan.split,
        "label": material.label(plan.class_index),
        "seen": plan.source.seen,
        "heard": plan.sound.heard,
        "event": plan.event,
        "silent": [{**describe(item), "seen": item.seen} for item in plan.silent],
        "offscreen": [{**describe(sound), "heard": sound.heard} for sound in plan.offscreen],
    }
    if material.media:
        description["source"] = {**describe(plan.source), **describe(plan.sound)}
    return description
