"""A video's result, and what is said of it in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.artifacts import Location, ModelFile
from avloc.errors import AvlocError
from avloc.events import DEFAULT_THRESHOLD
from avloc.timeline import Timeline

_MODALITIES = {"no_audio": ("sound", "picture"), "no_video": ("picture", "sound")}
_MOST_NEAR = 5  # labels without an event that a line names


@dataclass(frozen=True)
class LocalizedVideo:
    """One video's answer.

    Attributes:
        video: the file, or its address.
        timeline: its events and scores; None if it failed.
        others: the timelines of further models.
        written: the files made, in order.
        kept: files of an earlier run that are still valid.
        note: what a reader should know of the answer.
        remarks: how near labels came that no event has, a line each; of the model open.
        error: why it failed; None if it did not.
    """

    video: Location
    timeline: Timeline | None = None
    others: tuple[Timeline, ...] = ()
    written: tuple[Path, ...] = ()
    kept: tuple[Path, ...] = ()
    note: str = ""
    remarks: tuple[str, ...] = ()
    error: AvlocError | None = None


def modality_note(model: ModelFile, timeline: Timeline) -> str:
    """Name the missing modality of a video, if a model of both answered it; else nothing."""
    missing = [flag for flag in _MODALITIES if flag in timeline.flags]
    if not missing or model.config.get("modalities", "both") != "both":
        return ""
    lacking, other = _MODALITIES[missing[0]]
    note = f"no {lacking}: answered from the {other} alone"
    if model.supervision != "none" and not model.training.get("modality_dropout"):
        note += ", for which the model was not trained (--set modality_dropout=0.2)"
    return note


def score_remarks(timeline: Timeline, labels: Sequence[str]) -> tuple[str, ...]:
    """Say how near those labels came that no event has, and what else there is.

    Args:
        timeline: an answer; of a model without training, else there is nothing to say.
        labels: that were asked for; empty for all.
    """
    if timeline.rival is None:
        return ()
    found = {event.label for event in timeline}
    asked = set(labels or timeline.labels.names) - found
    near = [f"{s.label} {s.score:.2f}" for s in timeline.clip_scores() if s.label in asked]
    remarks = [f"without an event, by best score: {', '.join(near[:_MOST_NEAR])}"] if near else []
    if timeline.rival.score >= DEFAULT_THRESHOLD:
        name, score = timeline.rival.label, timeline.rival.score
        remarks.append(f"strongest of what was not asked for: {name} {score:.2f}")
    return tuple(remarks)
