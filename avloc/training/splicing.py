"""Splices: a span of each window is replaced by that of another, sound and picture together.

A weak label names the events of a window and not their times. In a splice a segment can only have
a label of the window that it came from, or none. A network that reads a label off the rest of the
window gives it to the other window's segments too, and is wrong there; background is the only
answer that both windows share. So this loss asks when, from labels without times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import softplus

from avloc.datasets.batches import Batch
from avloc.devices import moved


@dataclass(frozen=True)
class Splice:
    """For each of B windows the window that it takes a span from, and that span.

    A window without a partner takes nothing and has no loss.
    """

    partner: Int[Tensor, B]  # an index into the windows that were drawn from
    inside: Bool[Tensor, "B T"]  # the segments that the partner gives
    source: Int[Tensor, "B T"]  # the partner's segment in place of each
    has_partner: Bool[Tensor, B]

    def of_windows(self, chosen: Sequence[int]) -> Splice:
        """Return the splices of some windows; partners keep their indices."""
        index = torch.tensor(chosen, dtype=torch.int64)
        return Splice(**{name: tensor[index] for name, tensor in vars(self).items()})

    def to(self, device: torch.device) -> Splice:
        """Return it on a device."""
        return Splice(**{name: moved(tensor, device) for name, tensor in vars(self).items()})


def draw_splice(
    present: Bool[Tensor, "B C"], lengths: int | Int[Tensor, B], seed: int | Sequence[int]
) -> Splice:
    """Draw a partner with other labels for each window, and a span of 1 to T - 1 segments.

    All partners, lengths and starts are equally likely. Of a longer or shorter partner the span
    begins at the same share of the way. The same labels and seed give the same splices, on every
    device and in every process.

    Args:
        present: the labels of each window.
        lengths: T of each window, or of all.
        seed: of the random numbers.
    """
    n_segments = np.broadcast_to(np.asarray(lengths), len(present))
    differs = (present.unsqueeze(1) != present.unsqueeze(0)).any(dim=-1).numpy()
    of_partner, of_length, of_first = np.random.default_rng(seed).random((3, len(differs)))
    n_others = differs.sum(axis=1)
    rank = np.floor(of_partner * n_others)
    partner = (differs.cumsum(axis=1) > rank[:, None]).argmax(axis=1)
    n_of_partner = n_segments[partner]
    length = 1 + np.floor(of_length * np.minimum(n_segments - 1, n_of_partner))
    first = np.floor(of_first * (n_segments - length + 1))
    first_of_partner = np.floor(of_first * (n_of_partner - length + 1))
    segments = np.arange(n_segments.max())
    inside = (segments >= first[:, None]) & (segments < (first + length)[:, None])
    has_partner = (n_others > 0) & (n_segments > 1)
    inside &= has_partner[:, None]
    source = np.where(inside, segments + (first_of_partner - first)[:, None], segments)
    arrays = partner, inside, source.astype(np.int64), has_partner
    return Splice(*map(torch.from_numpy, arrays))


def with_splices(batch: Batch, splice: Splice) -> Batch:
    """Return the first B windows of a batch, then the same windows spliced.

    Partners may be any windows of the batch. The truth of the spliced windows is that of the
    window they began as.
    """
    rows = slice(len(splice.partner))

    def doubled(values: Tensor) -> Tensor:
        inside = splice.inside.view(*splice.inside.shape, *[1] * (values.dim() - 2))
        given = values[splice.partner.unsqueeze(1), splice.source]
        return torch.cat([values[rows], torch.where(inside, given, values[rows])])

    truth = batch.truth.map(lambda tensor: torch.cat([tensor[rows], tensor[rows]]))
    names = ("visual", "audio", "visual_valid", "audio_valid")
    return replace(batch, truth=truth, **{name: doubled(getattr(batch, name)) for name in names})


def allowed_labels(present: Bool[Tensor, "N C"], splice: Splice) -> Bool[Tensor, "B T C"]:
    """Return the labels that each segment may have: those of the window that it came from."""
    of_window, of_partner = present[: len(splice.partner)], present[splice.partner]
    return torch.where(splice.inside.unsqueeze(-1), of_partner.unsqueeze(1), of_window.unsqueeze(1))


def exclusive_splice_loss(
    logits: Float[Tensor, "B T K"], allowed: Bool[Tensor, "B T C"]
) -> Float[Tensor, "B T"]:
    """Return ``-log sum_c p(c)`` over the allowed labels and background, the last of K."""
    is_allowed = torch.cat([allowed, torch.ones_like(allowed[..., :1])], dim=-1)
    chosen = logits.masked_fill(~is_allowed, -torch.inf).logsumexp(dim=-1)
    return logits.logsumexp(dim=-1) - chosen


def independent_splice_loss(
    logits: Float[Tensor, "B T C"], allowed: Bool[Tensor, "B T C"]
) -> Float[Tensor, "B T"]:
    """Return the binary cross-entropy of "no", with 0 for allowed labels, the mean over labels."""
    return softplus(logits).masked_fill(allowed, 0.0).mean(dim=-1)
