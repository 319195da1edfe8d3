"""An epoch of training for ``avloc bench``, on random features."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.artifacts import VideoFeatures
from avloc.datasets.examples import Example, Examples
from avloc.datasets.feed import Feed
from avloc.datasets.targets import Targets
from avloc.labels import LabelSet
from avloc.models import build
from avloc.spec import FeatureSpec
from avloc.training import TrainingConfig, begin, loss_of, train_epoch

Speed = dict[str, str | float | list[float]]


def measure_epoch(device: torch.device, n_rows: int, batch_size: int = 64) -> Speed:
    """Measure an epoch of CMAN over random features in memory; AVE has 3339 rows, 6.7 GB.

    Parts of the epoch are the feed, which collects batches and moves them to the device, and
    the products of the visual maps with ``W_v`` and its gradient, which nothing can avoid.
    """
    config = TrainingConfig(batch_size=batch_size)
    feed = Feed(random_examples(n_rows), device)
    torch.manual_seed(0)
    model = build("cman", visual_channels=2048, audio_channels=128, n_classes=29).to(device)
    state, loss = begin(model, config), loss_of(config, LabelSet(tuple(map(str, range(28)))))
    warm_up = feed.batch([0])
    measure_seconds(device, model, warm_up.visual, warm_up.audio)
    batches = list(feed.order(config.batch_size))
    epoch = measure_seconds(device, train_epoch, state, feed, config, loss)
    feeding = sum(measure_seconds(device, feed.batch, indices) for indices in batches)
    regions = feed.batch(batches[0]).visual.flatten(0, 3)
    w_v = torch.randn(256, regions.shape[1], device=device)
    mapped = regions @ w_v.T

    def multiply() -> None:
        torch.mm(regions, w_v.T, out=mapped)
        mapped.T @ regions

    products = len(batches) * median(measure_seconds(device, multiply) for _ in range(5))
    return {
        "n_rows": n_rows,
        "epoch_seconds": epoch,
        "feed_seconds": feeding,
        "product_seconds": products,
    }


def random_examples(n_rows: int) -> Examples:
    """Make rows of AVE's shape: ten segments of 7 × 7 × 2048 and of 128, and 29 classes."""
    draw = np.random.default_rng(0)
    maps = draw.random((10, 7, 7, 2048), np.float32).astype(np.float16)
    video = ten_seconds("", None, draw.random((10, 128), np.float32), FeatureSpec("", "", "", ""))
    # Every video has its own memory, as features from files have.
    videos = tuple(replace(video, visual=maps.copy()) for _ in range(n_rows))
    is_label = np.eye(29, dtype=bool)[draw.integers(29, size=(n_rows, 10))][..., :-1]
    whole = np.ones(10, bool)
    entries = tuple(
        Example(k, k, 0, Targets(events, events, events, whole), events.any(axis=0))
        for k, events in enumerate(is_label)
    )
    return Examples(videos, entries, (), maps.shape[1:], 128)


def ten_seconds(
    video_id: str,
    visual: NDArray[np.float16] | None,
    audio: NDArray[np.float32],
    spec: FeatureSpec,
) -> VideoFeatures:
    """Return the features of a clip as AVE's: ten segments of a second, all of them valid."""
    edges = np.arange(11.0)
    return VideoFeatures(
        video_id=video_id,
        segment_times=np.stack([edges[:-1], edges[1:]], axis=1),
        visual=visual,
        audio=audio,
        frame_index=None,
        visual_valid=np.ones(10, bool),
        audio_valid=np.ones(10, bool),
        duration=10.0,
        fps_sampled=16.0,
        segment_seconds=1.0,
        spec=spec,
    )


def measure_seconds(device: torch.device, run: Callable[..., object], *args: object) -> float:
    """Return how long a call takes, the work on the device counted."""
    began = time.perf_counter()
    run(*args)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began
