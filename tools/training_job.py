"""What `training_beyond_memory.py` measures, in a process with the avloc of a checkout."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from avloc.artifacts import FeatureStore
from avloc.datasets import Dataset, Row
from avloc.datasets.examples import load_examples
from avloc.datasets.feed import Feed
from avloc.labels import LabelSet
from avloc.models import build
from avloc.spec import FeatureSpec
from avloc.training import TrainingConfig, begin, load_splits, loss_of, train_epoch

SPEC = FeatureSpec("made-up", "", "made-up", "")
VIDEO = "video{:06d}"
LABELS = LabelSet(tuple(f"label{k:02d}" for k in range(28)))
CPU = torch.device("cpu")
CONFIG = TrainingConfig(batch_size=64)
TRAINED_ROWS = 640


def main() -> None:
    """Do a job and print its numbers as JSON."""
    job = json.loads(sys.argv[1])
    kind, root = job.pop("kind"), Path(job.pop("root"))
    numbers = {"read": limited, "train": limited, "whole": whole, "memory": memory}[kind]
    print(json.dumps(numbers(root, kind, **job)))


def limited(root: Path, kind: str, rows: int, workers: int, seed: int) -> dict[str, float]:
    """Read, or train on, rows drawn from all of them."""
    store = FeatureStore.open(root)
    drawn = np.random.default_rng(seed).permutation(len(store.video_ids()))[:rows]
    examples = load_examples(store, labelled(root, drawn.tolist()), "train")
    forget(root)
    feed = Feed(examples, CPU, n_workers=workers)
    state, loss = _state(), loss_of(CONFIG, LABELS)
    began = time.perf_counter()
    if kind == "train":
        train_epoch(state, feed, CONFIG, loss)
    else:
        for _ in feed.batches(feed.order(CONFIG.batch_size)):
            pass
    return {"seconds": time.perf_counter() - began}


def whole(root: Path, kind: str, rows: int) -> dict[str, float]:
    """Load all rows, measure their channels, and train on some, as `avloc.training.fit` does.

    On a busy machine the processor's seconds say more than the clock's.
    """
    marks = [_seconds()]
    data = load_splits(FeatureStore.open(root), labelled(root, range(rows)), CONFIG)
    marks.append(_seconds())
    statistics: Any = data.statistics
    statistics = statistics(CPU) if callable(statistics) else statistics
    marks.append(_seconds())
    drawn = np.random.default_rng(0).permutation(rows)[:TRAINED_ROWS]
    part = replace(data.train, entries=tuple(data.train.entries[n] for n in drawn))
    state, loss, feed = _state(), loss_of(CONFIG, LABELS), Feed(part, CPU)
    marks.append(_seconds())
    train_epoch(state, feed, CONFIG, loss)
    marks.append(_seconds())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    numbers = {"peak MB": peak}
    for n, name in ((0, "load"), (1, "statistics"), (3, f"train on {len(drawn)}")):
        clock, processor = (after - before for before, after in zip(*marks[n : n + 2], strict=True))
        numbers |= {f"{name}: seconds": clock, f"{name}: processor's seconds": processor}
    return numbers


def _seconds() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def memory(root: Path, kind: str, rows: int) -> dict[str, float]:
    """Return this process's memory before the rows are loaded, and after all were read."""
    idle = _own_megabytes()
    dataset = labelled(root, range(rows))
    feed = Feed(load_examples(FeatureStore.open(root), dataset, "train"), CPU)
    for indices in feed.order(8):
        feed.batch(indices)
    loaded = _own_megabytes()
    time.sleep(5)  # so that the others' last reading is not divided by fewer
    return {"idle": idle, "loaded": loaded}


def forget(root: Path) -> None:
    """Take the store out of the system's cache."""
    for path in root.rglob("*.h5"):
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def labelled(root: Path, numbers: Iterable[int]) -> Dataset:
    """Return rows of ten seconds with an event each; the last one validates."""
    draw = np.random.default_rng(0)
    rows = [
        Row(VIDEO.format(n), str(draw.choice(LABELS.names)), 2.0, 7.0, "train") for n in numbers
    ]
    rows.append(replace(rows[-1], split="val"))
    return Dataset("made-up", root, LABELS, tuple(rows), {}, 10)


def _state() -> Any:
    torch.manual_seed(0)
    model = build("cman", visual_channels=2048, audio_channels=128, n_classes=29)
    return begin(model, CONFIG)


def _own_megabytes() -> float:
    text = Path(f"/proc/{os.getpid()}/smaps_rollup").read_text()
    (line,) = (line for line in text.splitlines() if line.startswith("Pss:"))
    return int(line.split()[1]) / 1e3


if __name__ == "__main__":
    main()
