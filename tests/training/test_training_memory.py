"""Training takes the memory of a batch, not of the store."""

from __future__ import annotations

from pathlib import Path

import torch
from made_up import made_up

from avloc.datasets.feed import Feed
from avloc.training import TrainingConfig, load_splits


def own_bytes() -> int:
    """Return this process's memory that is no file's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024


def test_memory_is_that_of_a_batch(tmp_path):
    world = made_up(tmp_path, n_videos=48, side=8, channels=(512, 6), splits=("train", "val"))
    n_bytes = sum(path.stat().st_size for path in world.store.root.rglob("*.h5"))
    assert n_bytes > 30e6
    before = most = own_bytes()
    data = load_splits(world.store, world.dataset, TrainingConfig())
    data.statistics(torch.device("cpu"))
    for part in (data.train, data.val):
        feed = Feed(part, torch.device("cpu"))
        for _ in feed.batches(feed.order(2)):
            most = max(most, own_bytes())
    assert most - before < n_bytes / 3
