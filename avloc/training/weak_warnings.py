"""Warnings of what the labels of whole videos cannot teach with the chosen loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from avloc.datasets.examples import Example
from avloc.labels import LabelSet
from avloc.training.config import TrainingConfig
from avloc.training.splits import TrainingData


def weak_warnings(config: TrainingConfig, data: TrainingData, labels: LabelSet) -> Iterator[str]:
    """Yield sentences, for a configuration whose supervision is resolved (`resolved`)."""
    if not config.is_weak:
        return
    entries = data.train.entries
    if config.pooling == "mean":
        better = "count" if config.weak_labels == "proportion" else "topk"
        yield (
            "pooling=mean accepts the same answer in every segment, so the model need not learn "
            f"when an event occurs: set pooling={better}"
        )
    if config.splice == "on" and len({entry.present.tobytes() for entry in entries}) == 1:
        yield (
            "all training videos have the same labels, so splice=on has no effect: add videos "
            "with other labels, or without an event"
        )
    if labels.is_exclusive:  # of independent ones, other labels' videos show the background
        yield from _of_background(config, entries)


def _of_background(config: TrainingConfig, entries: Sequence[Example]) -> Iterator[str]:
    if config.weak_labels == "proportion":
        if not any((e.targets.scored & ~e.targets.events.any(axis=1)).any() for e in entries):
            yield (
                "no training video has background, so the model cannot learn to answer it: add "
                "videos in which an event does not fill the whole time"
            )
    elif config.splice == "off" and all(entry.present.any() for entry in entries):
        yield (
            "every training video has an event, so presence without splices never teaches "
            "background: set splice=on, or add videos without an event"
        )
