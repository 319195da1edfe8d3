"""Batches that other processes read: the same bits, no deadlock, and one line where it fails."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_up import made_up

from avloc.datasets.examples import load_examples
from avloc.datasets.feed import Feed
from avloc.datasets.reading_ahead import choose_workers
from avloc.errors import ArtifactError, AvlocError
from avloc.training import TrainingConfig, load_splits
from avloc.training.fit import fit

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return made_up(tmp_path_factory.mktemp("world"), n_videos=20, lengths=(10, 7, 12))


@pytest.fixture
def feed(world):
    return Feed(load_examples(world.store, world.dataset, "train"), CPU, n_workers=2)


def tensors(feed, order):
    for batch in feed.batches(order):
        fields = vars(batch) | vars(batch.truth)
        yield [t.clone() for t in fields.values() if isinstance(t, torch.Tensor)]


def processes(feed):
    return feed._workers._loader._iterator._workers


def test_workers_read_what_the_training_would_and_stay(feed):
    alone, seen = Feed(feed.examples, CPU), []
    for epoch in range(2):
        order = list(feed.order(4, seed=epoch))
        for one, other in zip(tensors(feed, order), tensors(alone, order), strict=True):
            assert all(map(torch.equal, one, other))
        seen.append([process.pid for process in processes(feed)])
    assert seen[0] == seen[1]


def test_an_epoch_that_ends_early_leaves_nothing_for_the_next(feed):
    order = list(feed.order(4, seed=0))
    left = feed.batches(order)
    next(left)
    left.close()
    later = list(tensors(feed, order[::-1]))
    expected = list(tensors(Feed(feed.examples, CPU), order[::-1]))
    assert all(map(torch.equal, a, b) for a, b in zip(later, expected, strict=True))


def test_the_weights_are_the_same_bits_in_memory_in_files_and_with_workers(world):
    config = TrainingConfig(epochs=1, batch_size=8, workers=0)
    data = load_splits(world.store, world.dataset, config)
    arrays = {
        name: replace(
            part,
            videos=tuple(
                replace(v, visual=np.asarray(v.visual), audio=np.asarray(v.audio))
                for v in part.videos
            ),
        )
        for name, part in (("train", data.train), ("val", data.val))
    }
    ways = [
        (replace(data, **arrays, _statistics={}), config),
        (data, config),
        (data, replace(config, workers=2)),
    ]
    in_memory, in_files, by_workers = (
        fit(world.store, world.dataset, options={"width": 8}, config=c, data=d, device="cpu")
        for d, c in ways
    )
    for name, tensor in in_memory.weights.items():
        np.testing.assert_array_equal(tensor, in_files.weights[name])
        np.testing.assert_array_equal(tensor, by_workers.weights[name])


@pytest.mark.parametrize("n_workers", [0, 2])
def test_a_file_that_vanishes_during_training_is_one_line(tmp_path, n_workers):
    world = made_up(tmp_path, n_videos=10)
    feed = Feed(load_examples(world.store, world.dataset, "train"), CPU, n_workers=n_workers)
    batches = feed.batches(feed.order(1))
    next(batches)
    path = world.store.path_of(feed.examples.video_ids[-1])
    path.unlink()
    with pytest.raises(ArtifactError) as caught:
        list(batches)
    assert caught.value.message == f"{path} can no longer be read: No such file or directory"


def test_a_worker_that_is_killed_is_one_line(feed):
    order = [part for _ in range(20) for part in feed.order(4)]
    batches = feed.batches(order)
    next(batches)
    for process in processes(feed):
        os.kill(process.pid, signal.SIGKILL)
        process.join()  # torch would raise an error here, where nobody expects it
    with pytest.raises(AvlocError, match="a process that reads features ended") as caught:
        list(batches)
    assert "\n" not in caught.value.message
    assert "workers=0" in caught.value.hint


def test_workers_do_not_get_interrupts(feed):
    list(feed.batches(feed.order(4)))
    for process in processes(feed):
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        (blocked,) = (line.split()[1] for line in lines if line.startswith("SigBlk:"))
        assert int(blocked, 16) >> (signal.SIGINT - 1) & 1


def test_how_many_workers_are_chosen(feed, monkeypatch):
    gpu = torch.device("cuda")
    assert choose_workers(-1, feed.examples, CPU, 4, 16) == 0
    assert choose_workers(3, feed.examples, CPU, 4, 16) == 3
    assert choose_workers(-1, feed.examples, gpu, 4, 3) == 2
    assert choose_workers(-1, feed.examples, gpu, 4, 1) == 0
    no_room = type("Room", (), {"f_bavail": 10, "f_frsize": 4096})
    monkeypatch.setattr(os, "statvfs", lambda path: no_room)
    assert choose_workers(-1, feed.examples, gpu, 64, 16) == 0
