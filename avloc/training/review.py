"""Checks of labelled data before a model is trained on it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from avloc.datasets import Dataset
from avloc.datasets.event_times import late_events
from avloc.datasets.label_counts import HELD_OUT, LabelCounts, count_labels
from avloc.training.config import TrainingConfig
from avloc.training.splits import TrainingData, with_kind_of
from avloc.training.weak_warnings import weak_warnings

FEW = 10
"""Fewer events of a label, or fewer clips to validate on, cause a warning."""

_LISTED = 10  # names on a line, and lines of a kind


@dataclass(frozen=True)
class Review:
    """Labels by split, and warnings."""

    counts: LabelCounts  # without training and validation videos that have no features
    held_out: tuple[str, ...]  # ids of the videos that choose the epoch, if not a split
    warnings: tuple[str, ...]  # sentences

    def lines(self) -> list[str]:
        """Return all of it as lines of plain text."""
        lines = self.counts.lines()
        if self.held_out:
            lines.append(f"held out to choose the epoch: {_listed(self.held_out)}")
        return [*lines, *(f"warning: {warning}" for warning in self.warnings)]


def review(data: TrainingData, dataset: Dataset, config: TrainingConfig) -> Review:
    """Count the labels of training data, and look for what makes a model worth little.

    The supervision of ``config`` is resolved (`avloc.training.supervision.resolved`).
    """
    is_held_out = data.selection == "held out"
    held_out = tuple(sorted(set(data.val.video_ids))) if is_held_out else ()
    counts = count_labels(dataset, held_out, {*data.train.missing, *data.val.missing})
    late = late_events(dataset, data.train, data.val)
    warnings = [*_of_labels(counts), *_of_validation(counts, data)]
    warnings += weak_warnings(config, data, with_kind_of(dataset, config).labels)
    if dataset.ignored_fields:
        ignored = _listed(dataset.ignored_fields)
        warnings.insert(0, f"fields of the manifest that are ignored: {ignored}")
    warnings[:0] = dataset.notes
    warnings += [f"an event ends after its video: {event}" for event in late[:_LISTED]]
    if len(late) > _LISTED:
        warnings.append(f"{len(late) - _LISTED} more events end after their videos")
    return Review(counts, held_out, tuple(warnings))


def _of_labels(counts: LabelCounts) -> Iterator[str]:
    labels = counts.labels
    if len(labels) == 1:
        yield f"there is only one label, {labels[0]!r}: a model can only tell it from background"

    def named(some_labels: Iterable[str]) -> str:
        return _listed([_with_near(label, labels) for label in some_labels])

    trained = {label: n for label in labels if (n := counts.of(label, "train"))}
    if len(trained) < len(labels):
        yield f"no event to train on: {named(n for n in labels if n not in trained)}"
    others = [column for column in counts.columns if column in ("val", "test")]
    alone = [n for n in trained if not any(counts.of(n, column) for column in others)]
    if others and alone:
        yield f"in the training split only: {named(alone)}"
    scarce = [f"{_with_near(label, labels)}: {n}" for label, n in trained.items() if n < FEW]
    if scarce:
        yield f"fewer than {FEW} events to train on: {_listed(scarce)}"


def _of_validation(counts: LabelCounts, data: TrainingData) -> Iterator[str]:
    n_clips = len(set(data.val.video_ids))
    if n_clips < FEW:
        clips = "clip" if n_clips == 1 else "clips"
        yield f"the epoch is chosen on {n_clips} {clips}, too few to trust the choice"
    column = {"held out": HELD_OUT, "TEST split": "test"}.get(data.selection, "val")
    absent = [n for n in counts.labels if counts.of(n, "train") and not counts.of(n, column)]
    if absent and column in counts.columns:
        yield f"not among the clips that choose the epoch: {_listed(absent)}"


def _with_near(label: str, labels: Sequence[str]) -> str:
    """Return a label, with a similar label of which it may be a misspelling."""
    others = {other.lower(): other for other in reversed(labels) if other != label}
    near = difflib.get_close_matches(label.lower(), others, 1, 0.7)
    return f"{label!r} (is it {others[near[0]]!r}?)" if near else repr(label)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED} more"
