"""Operations over time that leave out the padding of a batch of windows of different lengths.

``real`` marks the segments that a window has: its first ones. It is None if no window is padded.
What a model returns for padding means nothing, and what the padding contains changes nothing.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from avloc.devices import moved

Real = Bool[Tensor, "B T"] | None


def mean_over_time(x: Float[Tensor, "B T D"], real: Real) -> Float[Tensor, "B 1 D"]:
    """Return the mean over the real segments of each window."""
    if real is None:
        return x.mean(dim=1, keepdim=True)
    weights = moved(real, x.device).unsqueeze(-1)
    return x.masked_fill(~weights, 0).sum(dim=1, keepdim=True) / weights.sum(dim=1, keepdim=True)


def without_padding(scores: Float[Tensor, "B T T"], real: Real) -> Float[Tensor, "B T T"]:
    """Return attention scores, minus infinity in the columns that are padding."""
    if real is None:
        return scores
    return scores.masked_fill(~moved(real, scores.device).unsqueeze(1), -torch.inf)


def run_lstm(
    lstm: nn.LSTM, x: Float[Tensor, "B T D"], real: Real
) -> tuple[Float[Tensor, "B T S"], tuple[Float[Tensor, "N B S2"], Float[Tensor, "N B S2"]]]:
    """Return the states, zeros in padding, and each direction's last state and memory.

    The last state is that of the last real segment, where the direction backwards begins.
    """
    if real is None:
        states, last = lstm(x)
        return states, last
    # Sorted here: torch's own sorting waits for the device.
    lengths, order = real.sum(dim=1).cpu().sort(descending=True)
    back, order = moved(order.argsort(), x.device), moved(order, x.device)
    packed = pack_padded_sequence(x[order], lengths, batch_first=True)
    states, (state, memory) = lstm(packed)
    states, _ = pad_packed_sequence(states, batch_first=True, total_length=x.shape[1])
    return states[back], (state[:, back], memory[:, back])


def last_repeated(x: Float[Tensor, "B T D"], real: Real) -> Float[Tensor, "B T D"]:
    """Return the sequences with each one's last real segment in place of its padding."""
    if real is None:
        return x
    last = moved(real, x.device).sum(dim=1, keepdim=True) - 1
    segments = torch.arange(x.shape[1], device=x.device).minimum(last)
    return x.take_along_dim(segments.unsqueeze(-1), dim=1)
