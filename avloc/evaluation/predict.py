"""Run a model over a split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avloc.datasets.batches import Examples, batches
from avloc.models import Model
from avloc.progress import Progress

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Scored:
    """What a model says of R examples, T that of the longest; the rest of a row is zeros.

    Attributes:
        scores: (R, T, C) probabilities.
        gate_visual: (R, T), gate_audio: (R, T), attention: (R, T, H, W); None if the model
            has none.
    """

    scores: Array
    gate_visual: Array | None
    gate_audio: Array | None
    attention: Array | None


def predict(
    model: Model,
    examples: Examples,
    *,
    batch_size: int = 64,
    without: str = "",
    progress: Progress | None = None,
) -> Scored:
    """Score every example.

    Args:
        model: on its device, in evaluation mode.
        examples: what to score.
        batch_size: windows at once.
        without: ``audio`` or ``visual``: what to take from every example; nothing by default.
        progress: called with (examples done, examples, "evaluate").
    """
    device = next(model.parameters()).device
    columns: dict[str, Array] = {}
    done = 0
    for batch in batches(examples, batch_size):
        if without:
            batch.hide(without)
        placed = batch.to(device)
        with torch.inference_mode():
            output = model(placed.visual, placed.audio)
        _put(columns, "scores", examples, batch.places, model.probabilities(output.logits))
        _put(columns, "gate_visual", examples, batch.places, output.gate_visual)
        _put(columns, "gate_audio", examples, batch.places, output.gate_audio)
        _put(columns, "attention", examples, batch.places, output.attention)
        done += len(batch.places)
        if progress is not None:
            progress(done, len(examples), "evaluate")
    names = ("gate_visual", "gate_audio", "attention")
    return Scored(columns["scores"], *(columns.get(name) for name in names))


def _put(
    columns: dict[str, Array],
    name: str,
    examples: Examples,
    places: tuple[int, ...],
    values: Tensor | None,
) -> None:
    """Write (B, T, ...) values into the column's rows; windows may differ in length."""
    if values is None:
        return
    array = values.float().cpu().numpy()
    shape = (len(examples), examples.n_segments, *array.shape[2:])
    column = columns.setdefault(name, np.zeros(shape, dtype=np.float32))
    column[list(places), : array.shape[1]] = array
