"""The windows of one row as one sequence: a weak label is of the whole video, however long."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from avloc.devices import moved


@dataclass(frozen=True)
class RowWindows:
    """The B windows of a batch by the G rows that they were cut from."""

    index: Int[Tensor, "G W"]  # the windows of each row, in order; shorter rows repeat the first
    is_real: Bool[Tensor, "G W"]  # not such a repetition
    is_trivial: bool  # each window is a row by itself, in order

    @classmethod
    def of(cls, rows: Int[Tensor, B], device: torch.device) -> RowWindows:
        """Group windows by the number of their row; ``rows`` is on the CPU."""
        windows: dict[int, list[int]] = {}
        for window, row in enumerate(rows.tolist()):
            windows.setdefault(row, []).append(window)
        longest = max(map(len, windows.values()))
        padded = [of_row + of_row[:1] * (longest - len(of_row)) for of_row in windows.values()]
        is_real = [[n < len(of_row) for n in range(longest)] for of_row in windows.values()]
        index, real = (moved(torch.tensor(values), device) for values in (padded, is_real))
        return cls(index, real, longest == 1)

    def join(self, values: Shaped[Tensor, "B T *D"]) -> Shaped[Tensor, "G WT *D"]:
        """Put the windows of each row one after the other; repetitions stay (see `mask`)."""
        return values if self.is_trivial else values[self.index].flatten(1, 2)

    def split(self, values: Shaped[Tensor, "G WT *D"]) -> Shaped[Tensor, "B T *D"]:
        """Undo `join`: put what belongs to each of the B windows back in its place."""
        if self.is_trivial:
            return values
        n_rows, n_windows = self.index.shape
        apart = values.reshape(n_rows, n_windows, -1, *values.shape[2:])[self.is_real]
        return torch.index_select(apart, 0, self.index[self.is_real].argsort())

    def mask(self, scored: Bool[Tensor, "B T"]) -> Bool[Tensor, "G WT"]:
        """Join a mask of segments; it is False in repetitions."""
        if self.is_trivial:
            return scored
        return (scored[self.index] & self.is_real.unsqueeze(-1)).flatten(1, 2)

    def first(self, values: Shaped[Tensor, B * D]) -> Shaped[Tensor, G * D]:
        """Return each row's first window of what all its windows have in common."""
        return values if self.is_trivial else values[self.index[:, 0]]
