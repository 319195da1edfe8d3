"""The LSTM with a sentinel: a second output that shows what its memory holds (eq. 4).

How much weight the sentinel gets is decided in `co_attention` (eq. 5 and 8).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear, logsigmoid

from avloc.models.real_segments import Real, run_lstm

_LEAST_LOG_GATE = -60.0  # a state shown so little could not be divided by its gate again


class SentinelLSTM(nn.Module):
    """An LSTM that also gives a sentinel vector a segment (Lu et al., CVPR 2017).

    ``torch.nn.LSTM`` hides the memory ``m_t`` of all steps but the last. But ``h_t = o_t *
    tanh(m_t)``, and the output gate ``o_t`` follows from ``x_t`` and ``h_{t-1}``, so eq. 4 is

        s_t = g_t * tanh(m_t) = h_t * g_t / o_t

    A bidirectional one has ``width / 2`` units a direction, concatenated.
    """

    def __init__(
        self, n_channels: int, width: int, *, is_bidirectional: bool, has_sentinel: bool
    ) -> None:
        super().__init__()
        hidden = width // 2 if is_bidirectional else width
        self.lstm = nn.LSTM(n_channels, hidden, batch_first=True, bidirectional=is_bidirectional)
        n_gates = (2 if is_bidirectional else 1) if has_sentinel else 0
        self.gate_input = nn.ModuleList(nn.Linear(n_channels, hidden) for _ in range(n_gates))
        self.gate_state = nn.ModuleList(
            nn.Linear(hidden, hidden, bias=False) for _ in range(n_gates)
        )

    def forward(
        self, x: Float[Tensor, "B T Dx"], real: Real = None
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T D"] | None]:
        """Return the states ``h_t`` and the sentinels ``s_t`` (None without them)."""
        if not self.gate_input:
            return run_lstm(self.lstm, x, real)[0], None
        # A state and its gate must be rounded alike: a difference d of the gate before its
        # sigmoid makes the quotient exp(d) times too large, and so its gradients.
        with torch.autocast(x.device.type, enabled=False):
            x = _at_least_single(x)
            states, _ = run_lstm(self.lstm, x, real)
            halves = torch.split(states, self.lstm.hidden_size, dim=-1)
            sentinels = [self._sentinels(d, x, half) for d, half in enumerate(halves)]
        return states, torch.cat(sentinels, dim=-1)

    def _sentinels(
        self, direction: int, x: Float[Tensor, "B T Dx"], states: Float[Tensor, "B T Dh"]
    ) -> Float[Tensor, "B T Dh"]:
        nothing = torch.zeros_like(states[:, :1])
        earlier, later = [nothing, states[:, :-1]], [states[:, 1:], nothing]
        before = torch.cat(later if direction else earlier, dim=1)  # h_{t-1}
        gate = self.gate_input[direction](x) + self.gate_state[direction](before)  # of g_t
        shown = self._output_gate(direction, x, before).clamp_min(_LEAST_LOG_GATE)
        sentinels = states * (logsigmoid(gate) - shown).exp()  # (4) s_t
        return sentinels.clamp(-1, 1)  # as g_t * tanh(m_t) is, whatever the device's rounding

    def _output_gate(
        self, direction: int, x: Float[Tensor, "B T Dx"], before: Float[Tensor, "B T Dh"]
    ) -> Float[Tensor, "B T Dh"]:
        """Return ``log o_t``; torch keeps its weights last of the four gates."""
        suffix, rows = "_reverse" * direction, slice(3 * self.lstm.hidden_size, None)
        weight_x, weight_h, bias_x, bias_h = (
            getattr(self.lstm, f"{name}_l0{suffix}")[rows]
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        return logsigmoid(linear(x, weight_x, bias_x) + linear(before, weight_h, bias_h))


def _at_least_single(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
