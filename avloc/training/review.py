"""What is to be known of labelled data before a model is trained on it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from avloc.datasets import Dataset
from avloc.datasets.event_times import late_events
from avloc.datasets.label_counts import HELD_OUT, LabelCounts, count_labels
from avloc.training.splits import TrainingData

FEW = 10
"""Fewer events of a label, or fewer clips to validate on, are warned of."""

_LISTED = 10  # names on a line, and lines of a kind


@dataclass(frozen=True)
class Review:
    """Labels by split, and what looks wrong with them.

    Attributes:
        counts: events by label and split; training and validation videos without features
            are left out.
        held_out: ids of the videos that choose the epoch, where no split does.
        warnings: sentences.
    """

    counts: LabelCounts
    held_out: tuple[str, ...]
    warnings: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return all of it as lines of plain text."""
        lines = self.counts.lines()
        if self.held_out:
            lines.append(f"held out to choose the epoch: {_listed(self.held_out)}")
        return [*lines, *(f"warning: {warning}" for warning in self.warnings)]


def review(data: TrainingData, dataset: Dataset) -> Review:
    """Count the labels of training data, and look for what makes a model worth little.

    Args:
        data: what is trained and validated on.
        dataset: its rows.
    """
    held_out: tuple[str, ...] = ()
    if data.selection == "held out":
        held_out = tuple(sorted(set(data.val.video_ids)))
    missing = {*data.train.missing, *data.val.missing}
    counts = count_labels(dataset, held_out, missing)
    late = late_events(dataset, data.train, data.val)
    warnings = [
        *_ignored(dataset),
        *_of_labels(counts),
        *_of_validation(counts, data),
        *(f"an event ends after its video: {event}" for event in late[:_LISTED]),
    ]
    if len(late) > _LISTED:
        warnings.append(f"{len(late) - _LISTED} more events end after their videos")
    return Review(counts, held_out, tuple(warnings))


def _ignored(dataset: Dataset) -> Iterator[str]:
    if dataset.ignored_fields:
        yield f"fields of the manifest that are ignored: {_listed(dataset.ignored_fields)}"


def _of_labels(counts: LabelCounts) -> Iterator[str]:
    labels = counts.labels
    if len(labels) == 1:
        yield f"there is one label only, {labels[0]!r}: nothing else can be told from it"
    untrained = [label for label in labels if not counts.of(label, "train")]
    if untrained:
        names = _listed([_with_near(label, labels) for label in untrained])
        yield f"no event to train on: {names}"
    others = [column for column in counts.columns if column in ("val", "test")]
    alone = [
        label
        for label in labels
        if label not in untrained and not any(counts.of(label, other) for other in others)
    ]
    if others and alone:
        names = _listed([_with_near(label, labels) for label in alone])
        yield f"in the training split only: {names}"
    scarce = [label for label in labels if 0 < counts.of(label, "train") < FEW]
    if scarce:
        numbers = [f"{_with_near(n, labels)}: {counts.of(n, 'train')}" for n in scarce]
        yield f"fewer than {FEW} events to train on: {_listed(numbers)}"


def _of_validation(counts: LabelCounts, data: TrainingData) -> Iterator[str]:
    n_clips = len(set(data.val.video_ids))
    if n_clips < FEW:
        clips = "clip" if n_clips == 1 else "clips"
        yield f"the epoch is chosen on {n_clips} {clips}: val_accuracy says little"
    column = {"held out": HELD_OUT, "TEST split": "test"}.get(data.selection, "val")
    absent = [
        label
        for label in counts.labels
        if counts.of(label, "train") and not counts.of(label, column)
    ]
    if absent and column in counts.columns:
        yield f"not among the clips that choose the epoch: {_listed(absent)}"


def _with_near(label: str, labels: Sequence[str]) -> str:
    """Return a label, and the one that it may be a misspelling of."""
    others = [other for other in labels if other != label]
    near = difflib.get_close_matches(label.lower(), [o.lower() for o in others], 1, 0.7)
    same = [other for other in others if near and other.lower() == near[0]]
    return f"{label!r} (is it {same[0]!r}?)" if same else repr(label)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED} more"
