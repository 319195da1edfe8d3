"""The files beside the clips that say what is in them.

================== ==================================================================
``Annotations.txt`` and the split files: the events, in AVE's layout
``manifest.csv``    in their place where a clip may have several events: a line an event
                    with its ``sense``; two lines where it is seen and heard at
                    different times
``boxes.json``      by video id, one entry a second: ``[x0, y0, x1, y1]`` of the source
                    that is both seen and heard as fractions of the picture, a list of
                    such boxes if there are several, else ``null``
``senses.json``     by video id and label, 0 or 1 a second: ``heard`` and ``seen``
``synthesis.json``  ``config``, and by video id ``clips``: when the source is ``seen``
                    and ``heard``, the ``event``, and the other objects and sounds, or
                    the ``events``; photographs and recordings are named by file;
                    ``measured``: the share of inconsistent seconds, where it is set
================== ==================================================================
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from avloc.artifacts import write_text
from avloc.datasets.ave import ANNOTATIONS, HEADER, VIDEO_FOLDER, split_file
from avloc.datasets.boxes import BOXES, SegmentBoxes, as_entry
from avloc.datasets.dataset import SPLITS
from avloc.datasets.fields import read_text
from avloc.datasets.manifest import MANIFEST
from avloc.datasets.senses import SENSES
from avloc.datasets.synthetic.clip_plan import ClipPlan
from avloc.datasets.synthetic.descriptions import describe, event_rows, measured, senses_of
from avloc.datasets.synthetic.material import Material
from avloc.datasets.synthetic.synthesis_config import SynthesisConfig
from avloc.errors import DatasetError, OutputError, UsageError, message_of

SYNTHESIS = "synthesis.json"
COUNTS = ("n_train", "n_val", "n_test")
NEWER_SETTINGS = (
    *("object_size", "offscreen_gain", "media", "events", "heard_only", "seen_only"),
    *("late", "late_seconds", "overlap", "inconsistent_seconds"),
)
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


def read_inconsistency(folder: Path | str) -> float | None:
    """Return the measured share of seconds in which sound and picture disagree, if it was set."""
    content = json.loads(read_text(Path(folder) / SYNTHESIS))
    share = content.get("measured", {}).get("inconsistent_seconds", {}).get("all")
    return None if share is None else float(share)


def prepare_folder(folder: Path, config: SynthesisConfig) -> None:
    """Note the configuration in a folder for clips; refuse a folder of another data set."""
    made_with = read_config(folder)
    if made_with is None:
        if any((folder / name).exists() for name in (ANNOTATIONS, MANIFEST)):
            raise OutputError(
                f"{folder} holds a data set that was not synthesised", "Name another folder."
            )
        _write_synthesis(folder, config, {"clips": {}})
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


def clip_path(folder: Path, config: SynthesisConfig, video_id: str) -> Path:
    """Return the path of a clip's file."""
    return folder / ("clips" if config.is_independent else VIDEO_FOLDER) / f"{video_id}.mp4"


def write_truth(
    folder: Path,
    config: SynthesisConfig,
    material: Material,
    plans: Sequence[ClipPlan],
    boxes: SegmentBoxes,
) -> None:
    """Write all that is known of the clips; the annotations come last, as they say "whole"."""
    senses = {plan.video_id: senses_of(plan, config.seconds, material) for plan in plans}
    content: dict[str, object] = {
        "clips": {plan.video_id: describe(plan, config, material) for plan in plans}
    }
    if config.is_independent or config.inconsistent_seconds >= 0:
        content["measured"] = measured(plans, senses, config.seconds)
    _write_synthesis(folder, config, content)
    in_order = {plan.video_id: [*map(as_entry, boxes[plan.video_id])] for plan in plans}
    write_text(folder / BOXES, json.dumps(in_order) + "\n")
    flags = {
        video_id: {
            label: {name: flags.astype(int).tolist() for name, flags in of_label._asdict().items()}
            for label, of_label in of_video.items()
        }
        for video_id, of_video in senses.items()
    }
    write_text(folder / SENSES, json.dumps(flags) + "\n")
    write = _write_manifest if config.is_independent else _write_annotations
    write(folder, config, material, plans)


def _write_annotations(
    folder: Path, config: SynthesisConfig, material: Material, plans: Sequence[ClipPlan]
) -> None:
    lines = dict.fromkeys(SPLITS, "")
    for plan in plans:
        start, end = plan.event
        label = material.label(plan.sources[0].class_index)
        lines[plan.split] += f"{label}&{plan.video_id}&good&{start}&{end}\n"
    for split in SPLITS:
        write_text(folder / split_file(split), lines[split])
    write_text(folder / ANNOTATIONS, f"{HEADER}\n{''.join(lines.values())}")


def _write_manifest(
    folder: Path, config: SynthesisConfig, material: Material, plans: Sequence[ClipPlan]
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("video", "label", "start", "end", "split", "sense"))
    for plan in plans:
        video = clip_path(folder, config, plan.video_id).relative_to(folder).as_posix()
        writer.writerows(
            (video, row.label, row.start, row.end, row.split, row.sense)
            for row in event_rows(plan, material)
        )
    write_text(folder / MANIFEST, text.getvalue())


def _write_synthesis(folder: Path, config: SynthesisConfig, content: Mapping[str, object]) -> None:
    defaults = asdict(SynthesisConfig())
    written = {
        name: value
        for name, value in asdict(config).items()
        if name not in NEWER_SETTINGS or value != defaults[name]
    }
    text = json.dumps({"config": written, **content}, indent=1)
    write_text(folder / SYNTHESIS, text + "\n")
