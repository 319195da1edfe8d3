"""How often a block makes the program wait for the GPU."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def waiting_refused(device: torch.device) -> Iterator[None]:
    """Let everything that waits for the device raise an error."""
    with _mode(device, "error"):
        yield


@contextmanager
def waits_counted(device: torch.device) -> Iterator[list[str]]:
    """Collect where the program waited for the device, as "file:line"."""
    places: list[str] = []
    with warnings.catch_warnings(record=True) as caught, _mode(device, "warn"):
        warnings.simplefilter("always")
        yield places
    places += [f"{w.filename}:{w.lineno}" for w in caught if "synchroniz" in str(w.message)]


@contextmanager
def _mode(device: torch.device, mode: str) -> Iterator[None]:
    if device.type != "cuda":
        yield
        return
    torch.cuda.set_sync_debug_mode(mode)
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")
