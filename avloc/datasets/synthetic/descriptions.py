"""What is known of composed clips, in words and numbers: senses, rows, and a description each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from avloc.datasets.dataset import SPLITS, Row
from avloc.datasets.senses import LabelSenses, is_inconsistent
from avloc.datasets.synthetic.clip_plan import NEVER, ClipPlan, Interval, ObjectPlan, SoundPlan
from avloc.datasets.synthetic.material import Material
from avloc.datasets.synthetic.synthesis_config import SynthesisConfig


def senses_of(plan: ClipPlan, n_seconds: int, material: Material) -> dict[str, LabelSenses]:
    """Return where each label of a clip is heard and seen, those of its sources first."""
    heard: dict[int, NDArray[np.bool_]] = {}
    seen: dict[int, NDArray[np.bool_]] = {}
    for sound in plan.sounds:
        flags = heard.setdefault(sound.class_index, np.zeros(n_seconds, dtype=bool))
        flags[slice(*sound.heard)] = True
    for item in plan.objects:
        flags = seen.setdefault(item.class_index, np.zeros(n_seconds, dtype=bool))
        flags[slice(*item.seen)] = True
    never = np.zeros(n_seconds, dtype=bool)
    return {
        material.label(k): LabelSenses(heard.get(k, never), seen.get(k, never))
        for k in (*heard, *(k for k in seen if k not in heard))
    }


def event_rows(plan: ClipPlan, material: Material) -> list[Row]:
    """Return a row for each event of a clip of several, or two where its senses differ in time."""
    rows = []
    for source in plan.sources:
        label, seen, heard = (
            material.label(source.class_index),
            source.shown.seen,
            source.sound.heard,
        )
        spans = {"both": seen} if seen == heard else {"seen": seen, "heard": heard}
        rows += [
            Row(plan.video_id, label, *span, plan.split, "", sense)  # type: ignore[arg-type]
            for sense, span in spans.items()
            if span != NEVER
        ]
    return rows


def describe(plan: ClipPlan, config: SynthesisConfig, material: Material) -> dict[str, object]:
    """Return what ``synthesis.json`` says of a clip."""

    def words(item: ObjectPlan | SoundPlan) -> dict[str, object]:
        return material.describe(item, plan.split)

    if config.is_independent:
        events = [
            {
                "label": material.label(source.class_index),
                "kind": source.kind,
                "seen": _known(source.shown.seen),
                "heard": _known(source.sound.heard),
                **(words(source.shown) if source.shown.seen != NEVER else {}),
                **(words(source.sound) if source.sound.heard != NEVER else {}),
            }
            for source in plan.sources
        ]
        return {"split": plan.split, "events": events}
    source = plan.sources[0]
    description: dict[str, object] = {
        "split": plan.split,
        "label": material.label(source.class_index),
        "seen": source.shown.seen,
        "heard": source.sound.heard,
        "event": plan.event,
        "silent": [{**words(item), "seen": item.seen} for item in plan.silent],
        "offscreen": [{**words(sound), "heard": sound.heard} for sound in plan.offscreen],
    }
    if material.media:
        description["source"] = {**words(source.shown), **words(source.sound)}
    return description


def measured(
    plans: Sequence[ClipPlan], senses: Mapping[str, Mapping[str, LabelSenses]], n_seconds: int
) -> dict[str, object]:
    """Return the share of inconsistent seconds, of all clips and of each split, and event kinds."""
    shares: dict[str, float] = {}
    for split in ("all", *SPLITS):
        chosen = [plan.video_id for plan in plans if split in ("all", plan.split)]
        flags = [is_inconsistent(senses[video_id], n_seconds) for video_id in chosen]
        if flags:
            shares[split] = round(float(np.mean(flags)), 4)
    kinds = Counter(source.kind for plan in plans for source in plan.sources if source.kind)
    if not kinds:
        return {"inconsistent_seconds": shares}
    n_known = np.array(
        [np.sum([s.heard | s.seen for s in senses[p.video_id].values()], axis=0) for p in plans]
    )
    return {
        "inconsistent_seconds": shares,
        "seconds_of_several_events": round(float((n_known > 1).mean()), 4),
        "events": dict(sorted(kinds.items())),
    }


def _known(interval: Interval) -> Interval | None:
    return None if interval == NEVER else interval
