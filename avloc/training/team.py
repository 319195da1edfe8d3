"""The processes that train one model together, as `torchrun` starts them; usually one alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

_RANK, _LOCAL_RANK, _SIZE = "RANK", "LOCAL_RANK", "WORLD_SIZE"


@dataclass(frozen=True)
class Team:
    """One of the processes, and how it talks to the others.

    Attributes:
        device: where this one computes.
        rank: its number.
        size: how many there are.
    """

    device: torch.device
    rank: int = 0
    size: int = 1

    def wrap(self, model: nn.Module) -> nn.Module:
        """Return what a step calls: gradients are then the mean over the team's."""
        if self.size == 1:
            return model
        places = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=places)

    def share(self, places: Sequence[int]) -> list[int]:
        """Return this process's part of a batch's places; it may be empty."""
        return list(places[self.rank :: self.size])

    def sum(self, numbers: Sequence[float]) -> list[float]:
        """Return numbers added up over the team."""
        tensor = self._tensor(numbers)
        if self.size > 1:
            distributed.all_reduce(tensor)
        return [float(number) for number in tensor]

    def from_leader(self, numbers: Sequence[float]) -> list[float]:
        """Return the leader's numbers, so that all go by the same."""
        tensor = self._tensor(numbers)
        if self.size > 1:
            distributed.broadcast(tensor, src=0)
        return [float(number) for number in tensor]

    def _tensor(self, numbers: Sequence[float]) -> Tensor:
        return torch.tensor(numbers, dtype=torch.float64, device=self.device)


def is_leader() -> bool:
    """Tell whether this process is the one that writes and speaks; so it is when it is alone."""
    return int(os.environ.get(_RANK, "0")) == 0


@contextmanager
def team_of(device: torch.device) -> Iterator[Team]:
    """Join the processes that `torchrun` started, or be alone without it.

    Args:
        device: this process's; among several GPUs ``cuda`` means the one of its local rank.
    """
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
