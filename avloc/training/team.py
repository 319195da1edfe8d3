"""The processes that train one model together under `torchrun`; without it, a single one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

_RANK, _LOCAL_RANK, _SIZE = "RANK", "LOCAL_RANK", "WORLD_SIZE"


@dataclass(frozen=True)
class Team:
    """One of the processes, and how it communicates with the others."""

    device: torch.device
    rank: int = 0  # number of this process
    size: int = 1  # number of processes

    def wrap(self, model: nn.Module) -> nn.Module:
        """Return a model whose gradients are averaged over the team."""
        if self.size == 1:
            return model
        devices = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=devices)

    def sum(self, numbers: Sequence[float]) -> list[float]:
        """Return the sums of numbers over the team."""
        return self._shared(numbers, distributed.all_reduce)

    def from_leader(self, numbers: Sequence[float]) -> list[float]:
        """Return the leader's numbers to every process."""
        return self._shared(numbers, partial(distributed.broadcast, src=0))

    def _shared(self, numbers: Sequence[float], share: Callable[[Tensor], object]) -> list[float]:
        tensor = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        if self.size > 1:
            share(tensor)
        return [float(number) for number in tensor]


def is_leader() -> bool:
    """Return whether this process writes files and prints; a single process does."""
    return int(os.environ.get(_RANK, "0")) == 0


@contextmanager
def team_of(device: torch.device) -> Iterator[Team]:
    """Join the processes that `torchrun` started, if it did; ``cuda`` is the local rank's GPU."""
    size = int(os.environ.get(_SIZE, "1"))
    if size == 1:
        yield Team(device)
        return
    if device == torch.device("cuda"):
        device = torch.device("cuda", int(os.environ[_LOCAL_RANK]))
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Team(device, int(os.environ[_RANK]), size)
    finally:
        distributed.destroy_process_group()
