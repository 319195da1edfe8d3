"""Training on a GPU, for ``tools/gpu_check.py``."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch
from gpu_report import Check

from avloc.artifacts import FeatureStore
from avloc.artifacts.stored_features import stored_features
from avloc.datasets import Dataset
from avloc.datasets.examples import Examples
from avloc.datasets.feed import Feed
from avloc.devices import count_cores
from avloc.labels import LabelSet
from avloc.models import build
from avloc.spec import FeatureSpec
from avloc.stages.bench_training import measure_seconds, random_examples
from avloc.training import TrainingConfig, TrainingData, begin, loss_of, train_epoch
from avloc.training.fit import fit
from avloc.training.statistics import channel_statistics, fit_scaling

CHANNELS = {"visual_channels": 2048, "audio_channels": 128, "n_classes": 29}
LABELS = LabelSet(tuple(f"label{k}" for k in range(28)))


def epochs(check: Check) -> None:
    """Measure an epoch of CMAN: held on the device and streamed, in bf16 and in fp32.

    The features are scaled, as in training.
    """
    examples = random_examples(check.size.rows[0])
    for hold in (True, False):
        began = time.perf_counter()
        feed = Feed(examples, check.device, hold=hold)
        if hold:
            check.row("copying the split to the device", f"{time.perf_counter() - began:.1f} s")
        for kind in ("bf16", "fp32"):
            seconds = _epoch(feed, kind, 3 if hold else 1)
            name = f"epoch of {len(examples)} rows, {'held' if hold else 'streamed'}, {kind}"
            check.numbers[name] = seconds
            check.row(name, f"{seconds:.2f} s, {len(examples) / seconds:.0f} rows/s")
        if check.device.type == "cuda" and hold:
            waits = _waits(feed)
            check.numbers["waits"] = waits
            n_waits = sum(waits.values()) / (len(examples) / 64)
            check.row("waits for the device in a training step", f"{n_waits:.1f}", "0")
        del feed


def from_files(check: Check, root: Path) -> None:
    """Measure an epoch of CMAN whose rows lie in files: read here, and by processes."""
    made = random_examples(check.size.rows_in_files)
    store = FeatureStore.create(root / "files", FeatureSpec("", "", "", ""))
    names = [f"{k:05d}" for k in range(len(made))]
    for name, video in zip(names, made.videos, strict=True):
        store.write(replace(video, video_id=name))
    examples = replace(made, videos=tuple(stored_features(store, names)))
    for n_workers in (0, 2, 6) if count_cores() > 6 else (0, 2):
        feed = Feed(examples, check.device, hold=False, n_workers=n_workers)
        seconds = _epoch(feed, "bf16", 1)
        name = f"epoch of {len(examples)} rows in files, {n_workers} processes read, bf16"
        check.numbers[name] = seconds
        check.row(name, f"{seconds:.2f} s, {len(examples) / seconds:.0f} rows/s")


def unscaled(check: Check) -> None:
    """Train in bf16 on features that are not scaled: an error if the loss is not finite."""
    feed = Feed(random_examples(min(128, check.size.rows[0])), check.device)
    config, n_epochs = TrainingConfig(batch_size=64, precision="bf16"), (check.size.epochs + 1) // 2
    torch.manual_seed(0)
    model = build("cman", **CHANNELS).to(check.device)
    state, loss = begin(model, config), loss_of(config, LABELS)
    for _ in range(n_epochs):
        last, _ = train_epoch(state, feed, config, loss)
        state.epoch += 1
    check.numbers["unscaled_loss"] = last
    n_steps = n_epochs * len(list(feed.order(config.batch_size)))
    check.row("unscaled features stay finite, bf16", f"{n_steps} steps, loss {last:.2f}", "finite")


def _epoch(feed: Feed, kind: str, n_timed: int) -> float:
    config = TrainingConfig(batch_size=64, precision=kind)
    torch.manual_seed(0)
    model, few = build("cman", **CHANNELS), _first_rows(feed.examples)
    fit_scaling(model, channel_statistics(few))
    state, loss = begin(model.to(feed.device), config), loss_of(config, LABELS)
    train_epoch(state, Feed(few, feed.device, hold=False), config, loss)  # loads the libraries
    run = (state, feed, config, loss)
    return median(measure_seconds(feed.device, train_epoch, *run) for _ in range(n_timed))


def _first_rows(examples: Examples) -> Examples:
    """Return a few rows; all have the same features, and so the same statistics."""
    return replace(examples, entries=examples.entries[:128])


def _waits(feed: Feed) -> dict[str, int]:
    """Return where an epoch waits for the device, and how often."""
    config = TrainingConfig(batch_size=64)
    model = build("cman", **CHANNELS)
    fit_scaling(model, channel_statistics(_first_rows(feed.examples)))
    state, loss = begin(model.to(feed.device), config), loss_of(config, LABELS)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        train_epoch(state, feed, config, loss)
        torch.cuda.set_sync_debug_mode("default")
    places = [f"{Path(w.filename).name}:{w.lineno}" for w in caught if "sync" in str(w.message)]
    return dict(Counter(places))


def training(check: Check, root: Path) -> None:
    """Train as on AVE: statistics, epochs and validation."""
    n_train, n_val = check.size.rows
    data = TrainingData(random_examples(n_train), random_examples(n_val), "val split")
    dataset = Dataset("made", root, LABELS, (), n_segments=10)
    store = FeatureStore.create(root / "trained", FeatureSpec("", "", "", ""))
    config = TrainingConfig(epochs=check.size.epochs, patience=0)
    began = time.perf_counter()
    data.statistics(check.device)  # kept for the training below
    measured = time.perf_counter() - began
    model = fit(store, dataset, config=config, device=check.device, data=data)
    seconds = time.perf_counter() - began
    an_epoch = median(model.history["seconds"])
    check.numbers |= {
        "training_seconds": seconds,
        "statistics_seconds": measured,
        "training_epoch_seconds": an_epoch,
        "train_loss": model.history["train_loss"],
    }
    if check.device.type == "cuda":
        check.numbers["training_gib"] = torch.cuda.max_memory_allocated() / 2**30
    check.row(
        f"{config.epochs} epochs of {n_train} + {n_val} rows",
        f"{seconds:.1f} s (statistics {measured:.1f} s, an epoch {an_epoch:.2f} s)",
        "60 s",
    )
