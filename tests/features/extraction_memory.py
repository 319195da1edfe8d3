"""A program that extracts several lots of clips, one after the other, and says what it took.

Its arguments: a JSON list of lots, each a list of files; a folder; decoding processes. It says,
a line a lot, the most memory in MB that it has had so far, and that its decoding process had.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from dataclasses import replace
from pathlib import Path

import torch
from tiny_encoders import tiny_encoders
from torch import nn

from avloc.artifacts import FeatureStore
from avloc.features import extract

CHANNELS = 2048  # as many as ResNet-152's: 196 KiB a segment, 115 MiB in ten minutes


def peak_of(process: int) -> int:
    # getrusage would not do: a child's maximum begins with what its parent has when it forks
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


class Children:
    """Progress that looks how much the decoding process has had."""

    peak = 0

    def __call__(self, *_: object) -> None:
        self.peak = max([0, *(peak_of(one.pid) for one in multiprocessing.active_children())])


def main() -> None:
    lots, folder, workers = json.loads(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    encoders = tiny_encoders(fps=1)
    # many channels at little work: a colour for each of the 49 regions, and products of it
    network = nn.Sequential(nn.AvgPool2d(32), nn.Conv2d(3, CHANNELS, 1), nn.ReLU())
    network = network.requires_grad_(False)
    encoders = replace(encoders, visual=replace(encoders.visual, network=network))
    for number, files in enumerate(lots):
        store = FeatureStore.create(folder / f"{number}", encoders.spec)
        videos = [(f"{k}", Path(file)) for k, file in enumerate(files)]
        children = Children()
        report = extract(videos, store, encoders, workers=workers, progress=children)
        assert report.n_done == len(files), report.failures
        sys.stdout.write(json.dumps([peak_of(os.getpid()), children.peak]) + "\n")


if __name__ == "__main__":
    main()
