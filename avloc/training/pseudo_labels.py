"""Self-training: what a weakly trained model answers are the labels of a second round.

The weak label says how many segments an event has; the model's likeliest ones become its
pseudo-labels. A new model is trained on these as on known segments. The first round has to find
the event while it learns it, the second only learns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.datasets.examples import Examples
from avloc.datasets.feed import Feed
from avloc.labels import LabelSet
from avloc.models import Model
from avloc.training.count_assignment import assigned, counts
from avloc.training.row_windows import RowWindows
from avloc.training.weak_loss import counted_segments

Mask = NDArray[np.bool_]


def pseudo_labels(
    model: Model, examples: Feed, batch_size: int, labels: LabelSet, most_labels: int
) -> Mask:
    """Return (N, C) labels of the N segments of all windows, in the examples' order.

    A row has as many segments of each label as its proportions say, over all its windows.
    """
    model.eval()
    found: dict[int, Mask] = {}
    order = list(examples.order(batch_size, whole_rows=True))
    for indices, batch in zip(order, examples.batches(order), strict=True):
        with torch.inference_mode():
            logits = model(*batch.inputs).logits.float()
        rows = RowWindows.of(batch.truth.row, logits.device)
        scored = rows.mask(counted_segments(batch.truth))
        count = counts(rows.join(batch.truth.targets), scored)
        given = assigned(rows.join(logits), count, scored, most_labels, labels)
        of_windows = zip(rows.split(given).cpu().numpy(), batch.truth.lengths, strict=True)
        windows = [window[:length] for window, length in of_windows]
        found.update(zip(indices, windows, strict=True))
    return np.concatenate([found[index] for index in range(len(examples.examples))])


def with_labels(examples: Examples, events: Mask) -> Examples:
    """Return the examples with other labels (N, C) of their segments; which sense is not known."""
    ends = np.cumsum([len(entry.targets) for entry in examples.entries])
    parts: Sequence[Mask] = np.split(events, ends[:-1])
    entries = [
        replace(entry, targets=replace(entry.targets, events=part, heard=part, seen=part))
        for entry, part in zip(examples.entries, parts, strict=True)
    ]
    return replace(examples, entries=tuple(entries))
