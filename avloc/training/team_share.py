"""The part of a batch that one process of a team takes, and the splices of its windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from avloc.datasets.batches import Truth
from avloc.training.losses import Loss
from avloc.training.splicing import Splice, draw_splice
from avloc.training.team import Team


@dataclass(frozen=True)
class Share:
    """Windows of a batch, by their positions in it."""

    windows: list[int]
    partners: list[int]  # that are not among them, and give them spans
    splice: Splice | None  # of the windows; its partners are indices into both lists together
    has_effect: bool  # False if the batch has fewer units than the team has processes


def share_of(team: Team, truth: Truth, loss: Loss, seed: Sequence[int]) -> Share:
    """Return this process's share of the windows, or of the rows if the loss is of whole rows.

    Splices are drawn for the whole batch, so that they do not depend on the number of processes.
    A process without a share takes a unit without effect: all processes take every step.
    """
    n_windows, n_segments = truth.scored.shape
    units: dict[int, list[int]] = {}
    for position in range(n_windows):
        unit = int(truth.row[position]) if loss.is_of_rows else position
        units.setdefault(unit, []).append(position)
    groups = list(units.values())
    has_effect = team.rank < len(groups)
    taken = groups[team.rank :: team.size] if has_effect else groups[:1]
    windows = [position for group in taken for position in group]
    if loss.splice_total is None:
        return Share(windows, [], None, has_effect)
    splice = draw_splice(truth.present, n_segments, seed).of_windows(windows)
    partners = sorted(set(splice.partner.tolist()) - set(windows))
    index_of = {position: index for index, position in enumerate((*windows, *partners))}
    local = torch.tensor([index_of[position] for position in splice.partner.tolist()])
    return Share(windows, partners, replace(splice, partner=local), has_effect)
