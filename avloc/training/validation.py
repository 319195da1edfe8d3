"""A model's loss, accuracy and answers on validation examples."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from avloc.datasets.batches import Truth
from avloc.datasets.feed import Feed
from avloc.models import Model, ModelOutput
from avloc.training.losses import Loss
from avloc.training.splicing import with_splices
from avloc.training.tally import Tally
from avloc.training.team import Team
from avloc.training.team_share import share_of


def validate(
    model: Model, examples: Feed, batch_size: int, loss: Loss
) -> tuple[float, float, float]:
    """Return the loss, the accuracy a scored segment, and the error of weak labels.

    A number that the data cannot give is NaN. It is computed in single precision; the batches and
    splices of a weak loss are the same in every epoch.
    """
    model.eval()
    tally, team = Tally(examples.device), Team(examples.device)
    n_wrong, n_rows = torch.zeros((), dtype=torch.float64, device=examples.device), 0
    order = list(
        examples.order(batch_size, 0 if loss.is_of_rows else None, whole_rows=loss.is_of_rows)
    )
    for number, (indices, batch) in enumerate(zip(order, examples.batches(order), strict=True)):
        truth = examples.truth(indices)
        share = share_of(team, truth, loss, (number,))
        shown = batch if share.splice is None else with_splices(batch, share.splice)
        with torch.inference_mode():
            output = model(*shown.inputs)
            total = share.total(loss, output, batch.truth)
            if loss.error is not None:
                n_wrong += share.total(loss.error, output, batch.truth)
                n_rows += loss.error.count(truth)
        tally.add(output.first(len(indices)), batch.truth, total, truth, loss)
    return *tally.of_team(team), float(n_wrong) / n_rows if n_rows else math.nan


def answers(model: Model, examples: Feed, batch_size: int) -> Iterator[tuple[ModelOutput, Truth]]:
    """Yield the output and the truth of each batch, in evaluation mode."""
    model.eval()
    for batch in examples.batches(examples.order(batch_size)):
        with torch.inference_mode():
            output = model(*batch.inputs)
        yield output, batch.truth
