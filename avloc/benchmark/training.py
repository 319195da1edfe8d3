"""One epoch of training measured on made-up features of AVE's size, and what it is made of."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np
import torch
from torch import Tensor

from avloc.artifacts import VideoFeatures
from avloc.benchmark.machine import wait_for
from avloc.datasets.batches import Example, Examples
from avloc.datasets.feed import Feed
from avloc.models import SentinelLSTM, build
from avloc.spec import FeatureSpec
from avloc.training import TrainingConfig, begin, loss_of, train_epoch

_N_SEGMENTS, _GRID, _CHANNELS, _N_CLASSES = 10, (7, 7), (2048, 128), 29
_DISTINCT = 64  # videos drawn; the others are copies, each in memory of its own


@dataclass(frozen=True)
class TrainingSpeed:
    """What was measured.

    Attributes:
        n_rows: examples of an epoch.
        epoch_seconds: one epoch, all of it.
        feed_seconds: of that, features put together and brought to the device.
        product_seconds: of that, the one product that no implementation can do without: the
            visual maps times ``W_v``, and their product with its gradient.
        sentinel_ratio: how many times as long the sentinel LSTM takes as a loop of steps,
            forwards and backwards.
    """

    n_rows: int
    epoch_seconds: float
    feed_seconds: float
    product_seconds: float
    sentinel_ratio: float

    def facts(self) -> list[tuple[str, str]]:
        """Return names and values in words."""
        rest = self.epoch_seconds - self.feed_seconds - self.product_seconds
        return [
            ("one epoch", f"{self.epoch_seconds:.1f} s over {self.n_rows} rows"),
            ("features to batches", f"{self.feed_seconds:.1f} s"),
            ("products with W_v", f"{self.product_seconds:.1f} s"),
            ("everything else", f"{rest:.1f} s"),
            ("sentinel LSTM in steps", f"{self.sentinel_ratio:.1f} times as long"),
        ]


def measure_training(n_rows: int, device: torch.device, config: TrainingConfig) -> TrainingSpeed:
    """Measure an epoch of CMAN.

    Args:
        n_rows: 3339 is AVE's training split, 6.7 GB of features.
        device: where.
        config: batch size and precision.
    """
    feed = Feed(made_up_examples(n_rows), device)
    torch.manual_seed(0)
    model = build(
        "cman", visual_channels=_CHANNELS[0], audio_channels=_CHANNELS[1], n_classes=_N_CLASSES
    ).to(device)
    state = begin(model, config)
    epoch = partial(train_epoch, state, feed, config, loss_of(config))
    _seconds(lambda: model(*_inputs(feed)), device)  # libraries make themselves ready
    places = list(feed.order(config.batch_size))
    return TrainingSpeed(
        n_rows,
        _seconds(epoch, device),
        sum(_seconds(partial(feed.batch, some), device) for some in places),
        _product_seconds(feed, config.batch_size, device) * len(places),
        _sentinel_ratio(config.batch_size, device),
    )


def made_up_examples(n_rows: int) -> Examples:
    """Return examples of AVE's size with ResNet-152's channels, noise all of them."""
    draw = np.random.default_rng(0)
    shape = (_N_SEGMENTS, *_GRID, _CHANNELS[0])
    maps = [draw.random(shape, np.float32).astype(np.float16) for _ in range(_DISTINCT)]
    sound = draw.random((_N_SEGMENTS, _CHANNELS[1]), np.float32)
    videos = [_video(maps[k % _DISTINCT].copy(), sound) for k in range(n_rows)]
    targets = draw.integers(_N_CLASSES, size=(n_rows, _N_SEGMENTS))
    entries = [Example(k, k, 0, targets[k]) for k in range(n_rows)]
    return Examples(tuple(videos), tuple(entries), (), (*_GRID, _CHANNELS[0]), _CHANNELS[1])


def _video(visual: np.ndarray, audio: np.ndarray) -> VideoFeatures:
    edges = np.arange(_N_SEGMENTS + 1.0)
    return VideoFeatures(
        video_id="",
        segment_times=np.stack([edges[:-1], edges[1:]], axis=1),
        visual=visual,
        audio=audio,
        frame_index=None,
        visual_valid=np.ones(_N_SEGMENTS, bool),
        audio_valid=np.ones(_N_SEGMENTS, bool),
        duration=float(_N_SEGMENTS),
        fps_sampled=16.0,
        segment_seconds=1.0,
        spec=FeatureSpec("", "", "", ""),
    )


def _inputs(feed: Feed) -> tuple[Tensor, Tensor]:
    batch = feed.batch([0])
    return batch.visual, batch.audio


def _product_seconds(feed: Feed, size: int, device: torch.device) -> float:
    regions = feed.batch(range(min(size, len(feed.examples)))).visual.flatten(0, 3)
    weight = torch.randn(256, regions.shape[1], device=device)
    mapped = regions @ weight.T

    def both() -> Tensor:
        torch.mm(regions, weight.T, out=mapped)
        return mapped.T @ regions

    return median(_seconds(both, device) for _ in range(5))


def _sentinel_ratio(size: int, device: torch.device) -> float:
    module = SentinelLSTM(256, 256, is_bidirectional=True, has_sentinel=True).to(device)
    x = torch.randn(size, _N_SEGMENTS, 256, device=device, requires_grad=True)
    ratios = []
    for _ in range(9):
        fused = _seconds(lambda: _backward(module(x)[1]), device)
        ratios.append(_seconds(lambda: _backward(in_steps(module, x)), device) / fused)
    return median(ratios)


def _backward(sentinels: Tensor | None) -> None:
    if sentinels is not None:
        sentinels.sum().backward()  # type: ignore[no-untyped-call]


def in_steps(module: SentinelLSTM, x: Tensor) -> Tensor:
    """Return the sentinels by eq. 4 as it stands: one step after the other."""
    of_directions = []
    for d, gate_input in enumerate(module.gate_input):
        suffix = f"_l0{'_reverse' * d}"
        weights = [
            getattr(module.lstm, name + suffix)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        state = memory = x.new_zeros(len(x), module.lstm.hidden_size)
        sentinels = []
        for x_t in (x.flip(1) if d else x).unbind(1):
            gate = torch.sigmoid(gate_input(x_t) + module.gate_state[d](state))
            state, memory = torch.lstm_cell(x_t, (state, memory), *weights)
            sentinels.append(gate * torch.tanh(memory))
        stacked = torch.stack(sentinels, 1)
        of_directions.append(stacked.flip(1) if d else stacked)
    return torch.cat(of_directions, -1)


def _seconds(run: Callable[[], object], device: torch.device) -> float:
    wait_for(device)
    began = time.perf_counter()
    run()
    wait_for(device)
    return time.perf_counter() - began
