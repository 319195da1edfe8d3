"""Tiny encoders that leave a sign of life, are slow, and end their process at certain pictures."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tiny_encoders import tiny_encoders

from avloc.features.encoders import Encoders
from avloc.media import write_clip

SECONDS = 0.1  # of an encoder's call


class _Troubled(torch.nn.Module):
    def __init__(self, network: torch.nn.Module, notes: Path) -> None:
        super().__init__()
        self.network, self.notes = network, notes

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        import ray

        node = ray.get_runtime_context().get_node_id() if ray.is_initialized() else "none"
        (self.notes / f"{os.getpid()}.{node}").touch()
        brightness = pictures.mean((1, 2, 3))
        if (brightness > 1.8).any():
            os._exit(7)
        if (brightness < -1.5).any():
            try:
                (self.notes / "hung").touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                time.sleep(1000)
        time.sleep(SECONDS)
        return self.network(pictures)


def troubled_encoders(notes: Path) -> Encoders:
    """Die at white pictures, hang at black ones the first time; `at_work` reads the notes."""
    encoders = tiny_encoders()
    network = _Troubled(encoders.visual.network, notes)
    return replace(encoders, visual=replace(encoders.visual, network=network))


def at_work(notes: Path) -> dict[int, str]:
    """Return the processes that have encoded something, and the nodes that they are on."""
    names = [path.name.partition(".") for path in notes.glob("[0-9]*")]
    return {int(pid): node for pid, _, node in names}


def write_plain(path: Path, value: int) -> Path:
    """Write a clip of one second in one shade of grey."""
    write_clip(path, (np.full((48, 64, 3), value, np.uint8) for _ in range(4)), 4, None, 22050)
    return path
