"""The LSTM with a sentinel: what it knows by itself, beside what it says (eq. 4)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class SentinelLSTM(nn.Module):
    """An LSTM that also gives a sentinel vector a segment (Lu et al., CVPR 2017).

    ``torch.nn.LSTM`` hides the memory ``m_t`` of all but the last step, hence the own loop.

    Args:
        n_channels: of the input.
        width: D, of states and sentinels; halved between two directions.
        is_bidirectional: a second LSTM reads backwards; states and sentinels of both are
            concatenated.
        has_sentinel: without it only states are computed.
    """

    def __init__(
        self, n_channels: int, width: int, *, is_bidirectional: bool, has_sentinel: bool
    ) -> None:
        super().__init__()
        hidden = width // 2 if is_bidirectional else width
        n_directions = 2 if is_bidirectional else 1
        self.directions = nn.ModuleList(
            _Direction(n_channels, hidden, has_sentinel) for _ in range(n_directions)
        )

    def forward(
        self, x: Float[Tensor, "B T Dx"]
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T D"] | None]:
        """Return the states ``h_t`` and the sentinels ``s_t`` (None without them)."""
        states, sentinels = self.directions[0](x)
        if len(self.directions) == 1:
            return states, sentinels
        late_states, late_sentinels = self.directions[1](x.flip(1))
        states = torch.cat([states, late_states.flip(1)], dim=-1)
        if sentinels is not None:
            sentinels = torch.cat([sentinels, late_sentinels.flip(1)], dim=-1)
        return states, sentinels


class _Direction(nn.Module):
    """One LSTM from the first segment to the last.

    The sentinel's gate has the form of an LSTM's own gates, so it is computed as a fifth one.
    The projections ``W_x x_t`` of all steps are one product; only ``W_h h_t`` is stepwise.
    """

    def __init__(self, n_channels: int, hidden: int, has_sentinel: bool) -> None:
        super().__init__()
        self.n_gates = 5 if has_sentinel else 4
        self.input = nn.Linear(n_channels, self.n_gates * hidden)  # W_x and the biases
        self.recurrent = nn.Linear(hidden, self.n_gates * hidden, bias=False)  # W_h

    def forward(
        self, x: Float[Tensor, "B T Dx"]
    ) -> tuple[Float[Tensor, "B T Dh"], Float[Tensor, "B T Dh"] | None]:
        state = memory = x.new_zeros(len(x), self.recurrent.in_features)
        states, sentinels = [], []
        for projected in self.input(x).unbind(dim=1):
            gates = (projected + self.recurrent(state)).chunk(self.n_gates, dim=-1)
            take, keep, show = (gate.sigmoid() for gate in gates[:3])
            memory = keep * memory + take * gates[3].tanh()  # m_t
            state = show * memory.tanh()  # h_t
            states.append(state)
            if self.n_gates == 5:
                sentinels.append(gates[4].sigmoid() * memory.tanh())  # (4) s_t
        return torch.stack(states, 1), torch.stack(sentinels, 1) if sentinels else None
