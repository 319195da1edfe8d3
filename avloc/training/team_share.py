"""The part of a batch that one process of a team takes, and the splices of its windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from avloc.datasets.batches import Truth
from avloc.models import ModelOutput
from avloc.training.losses import Loss
from avloc.training.splicing import Splice, draw_splice
from avloc.training.team import Team

_SPLICES = 1  # the random numbers of a batch: its splices have others than its dropout


@dataclass(frozen=True)
class Share:
    """Windows of a batch, by their positions in it."""

    windows: list[int]
    partners: list[int]  # that are not among them, and give them spans
    splice: Splice | None  # of the windows; its partners are indices into both lists together
    has_effect: bool  # False if the batch has fewer units than the team has processes

    def total(
        self, loss: Loss, output: ModelOutput, truth: Truth, isolated: Tensor | None = None
    ) -> Float[Tensor, ""]:
        """Return the summed loss of the windows, and of the same windows spliced after them."""
        n = len(self.windows)
        if loss.isolated_total is not None and isolated is not None:
            total = loss.isolated_total(output.logits[:n], isolated, truth.first(n))
        else:
            total = loss.total(output.first(n), truth.first(n))
        if loss.splice_total is not None and self.splice is not None:
            splice = self.splice.to(total.device)
            total = total + loss.splice_total(output.logits[n:], splice, truth)
        return total


def share_of(team: Team, truth: Truth, loss: Loss, seed: Sequence[int]) -> Share:
    """Return this process's share of the windows, or of the rows if the loss is of whole rows.

    Splices are drawn for the whole batch, so that they do not depend on the number of processes.
    A process without a share takes a unit without effect: all processes take every step.
    """
    units: dict[int, list[int]] = {}
    for position in range(len(truth.row)):
        unit = int(truth.row[position]) if loss.is_of_rows else position
        units.setdefault(unit, []).append(position)
    groups = list(units.values())
    has_effect = team.rank < len(groups)
    taken = groups[team.rank :: team.size] if has_effect else groups[:1]
    windows = [position for group in taken for position in group]
    if loss.splice_total is None:
        return Share(windows, [], None, has_effect)
    lengths = truth.lengths
    splice = draw_splice(truth.present, lengths, (*seed, _SPLICES)).of_windows(windows)
    partners = sorted(set(splice.partner.tolist()) - set(windows))
    index_of = {position: index for index, position in enumerate((*windows, *partners))}
    local = torch.tensor([index_of[position] for position in splice.partner.tolist()])
    longest = slice(int(lengths[[*windows, *partners]].max()))  # of this share's padded windows
    inside, source = splice.inside[:, longest], splice.source[:, longest]
    splice = replace(splice, partner=local, inside=inside, source=source)
    return Share(windows, partners, splice, has_effect)
