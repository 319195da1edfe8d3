"""The device that tensors are on, moving them there, and the number of processor cores."""

from __future__ import annotations

import os

import torch

from avloc.errors import UsageError


def choose_device(name: str | torch.device = "auto") -> torch.device:
    """Return a device by name or raise a UsageError; ``auto`` is CUDA if available, else CPU."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"the device {str(name)!r} cannot be used: {reason}",
            "Say auto, cpu, cuda or cuda:N.",
        ) from error
    return device


def moved(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return a tensor on a device without waiting for what the device does."""
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def count_cores() -> int:
    """Return how many processor cores this process may use."""
    is_linux = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if is_linux else os.cpu_count() or 1
