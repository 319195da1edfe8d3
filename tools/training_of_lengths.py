"""Training on videos of many lengths: padded batches, and batches of videos of one length.

::

    python tools/training_of_lengths.py [--videos 320] [--rounds 5] [--epochs 40] [--seeds 3]

Videos of 5 to 60 segments are made of noise and of patterns: an event is a label's pattern in one
region of the picture and, at the same time, in the sound; both also occur alone. It prints two
Markdown tables. The first is of time: batches, and seconds of an epoch in interleaved rounds. The
second is of accuracy on validation, with batches of the same size and with as many steps an epoch
as batches of one length have.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import mean, median, stdev

import numpy as np
import torch

from avloc.artifacts import VideoFeatures
from avloc.datasets.examples import Example, Examples
from avloc.datasets.feed import Feed
from avloc.datasets.targets import Targets
from avloc.labels import LabelSet
from avloc.models import build
from avloc.spec import FeatureSpec
from avloc.training import TrainingConfig, begin, loss_of, train_epoch
from avloc.training.loop import TrainingState
from avloc.training.statistics import channel_statistics, fit_scaling
from avloc.training.validation import validate

N_LABELS = 8
LABELS = LabelSet(tuple(f"label{k}" for k in range(N_LABELS)))
LEAST, MOST = 5, 60  # segments
_BATCH = 64  # what `batch_size` means for videos of one length
_SHARE_TOGETHER = 0.7  # videos whose label is heard when it is seen
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Shape:
    """The features of a segment, and the width of the model."""

    side: int
    visual: int
    audio: int
    width: int


def main() -> None:
    """Measure both, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=320)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    for line in _times(args.videos, args.rounds):
        print(line, flush=True)
    print()
    for line in _accuracies(args.videos, args.epochs, args.seeds):
        print(line, flush=True)


def _times(n_videos: int, n_rounds: int) -> Iterator[str]:
    shape = Shape(side=7, visual=256, audio=128, width=256)
    examples = made(n_videos, shape, seed=1)
    feeds = {alike: Feed(examples, _CPU, one_length=alike) for alike in (True, False)}
    states = {
        alike: _started(examples, shape, TrainingConfig(batch_size=_BATCH), 0) for alike in feeds
    }
    rounds = []
    for _ in range(n_rounds):
        rounds.append({alike: _seconds(states[alike], feed) for alike, feed in feeds.items()})
    yield "| batches | steps an epoch | videos a batch | padding | seconds an epoch | ratio |"
    yield "|---|---|---|---|---|---|"
    for alike, feed in feeds.items():
        steps, share = _padding(feed)
        seconds = median(of[alike] for of in rounds)
        ratio = median(of[alike] / of[True] for of in rounds)
        name = "videos of one length" if alike else "padded"
        yield (
            f"| {name} | {steps} | {n_videos / steps:.1f} | {share:.0%} | {seconds:.1f} "
            f"| {ratio:.2f} |"
        )


def _accuracies(n_videos: int, n_epochs: int, n_seeds: int) -> Iterator[str]:
    shape = Shape(side=3, visual=16, audio=8, width=32)
    train, val = made(n_videos, shape, seed=1), made(n_videos // 2, shape, seed=2)
    steps, _ = _padding(Feed(train, _CPU, one_length=True))
    small = max(1, round(n_videos / steps))
    runs = {
        f"one length, batch_size={_BATCH}": (True, _BATCH),
        f"padded, batch_size={_BATCH}": (False, _BATCH),
        f"padded, batch_size={small}": (False, small),
    }
    yield f"| batches | steps an epoch | accuracy, {n_epochs} epochs | minus the first, by seed |"
    yield "|---|---|---|---|"
    first: list[float] = []
    for name, (alike, size) in runs.items():
        feed, config = Feed(train, _CPU, one_length=alike), TrainingConfig(batch_size=size)
        best = [_accuracy(feed, val, shape, config, n_epochs, seed) for seed in range(n_seeds)]
        first = first or best
        paired = ", ".join(f"{b - a:+.1f}" for a, b in zip(first, best, strict=True))
        spread = f" +- {stdev(best):.1f}" if n_seeds > 1 else ""
        n_steps = len(list(feed.order(size, 0)))
        yield f"| {name} | {n_steps} | {mean(best):.1f}{spread} | {paired} |"


def _accuracy(
    feed: Feed, val: Examples, shape: Shape, config: TrainingConfig, n_epochs: int, seed: int
) -> float:
    """Return the best validation accuracy of all epochs, in percent."""
    state, loss = _started(feed.examples, shape, config, seed), loss_of(config, LABELS)
    best = 0.0
    for epoch in range(n_epochs):
        torch.manual_seed(1000 * seed + epoch)
        train_epoch(state, feed, config, loss)
        state.epoch += 1
        best = max(best, 100 * validate(state.model, Feed(val, _CPU), _BATCH, loss)[1])
    return best


def _started(examples: Examples, shape: Shape, config: TrainingConfig, seed: int) -> TrainingState:
    torch.manual_seed(seed)
    model = build(
        "cman",
        visual_channels=shape.visual,
        audio_channels=shape.audio,
        n_classes=N_LABELS + 1,
        width=shape.width,
    )
    fit_scaling(model, channel_statistics(examples))
    return begin(model, config)


def _seconds(state: TrainingState, feed: Feed) -> float:
    config = TrainingConfig(batch_size=_BATCH)
    began = time.perf_counter()
    train_epoch(state, feed, config, loss_of(config, LABELS))
    return time.perf_counter() - began


def _padding(feed: Feed) -> tuple[int, float]:
    """Return the steps of an epoch, and the share of padding in all segments."""
    lengths = [len(entry.targets) for entry in feed.examples.entries]
    batches = list(feed.order(_BATCH, 0))
    n_all = sum(len(indices) * max(lengths[n] for n in indices) for indices in batches)
    return len(batches), 1 - sum(lengths) / n_all


def made(n_videos: int, shape: Shape, seed: int) -> Examples:
    """Make the features and labels of videos, each a window of its own length."""
    patterns = np.random.default_rng(0)
    looks = patterns.normal(size=(N_LABELS, shape.visual))
    sounds = patterns.normal(size=(N_LABELS, shape.audio))
    draw = np.random.default_rng(seed)
    videos, entries = [], []
    for number in range(n_videos):
        n_segments = int(draw.integers(LEAST, MOST + 1))
        label, silent = draw.permutation(N_LABELS)[:2]
        seen, heard, unheard = (_span(draw, n_segments) for _ in range(3))
        heard = seen if draw.random() < _SHARE_TOGETHER else heard
        visual = draw.normal(size=(n_segments, shape.side**2, shape.visual))
        for shown, when in ((label, seen), (silent, unheard)):
            visual[when, draw.integers(shape.side**2)] += looks[shown]
        audio = draw.normal(size=(n_segments, shape.audio)) + heard[:, None] * sounds[label]
        events = np.zeros((n_segments, N_LABELS), bool)
        events[seen & heard, label] = True
        maps = visual.reshape(n_segments, shape.side, shape.side, shape.visual)
        videos.append(_features(maps.astype(np.float16), audio.astype(np.float32)))
        targets = Targets(events, events, events, np.ones(n_segments, bool))
        entries.append(Example(number, number, 0, targets, events.any(axis=0)))
    size = (shape.side, shape.side, shape.visual)
    return Examples(tuple(videos), tuple(entries), (), size, shape.audio)


def _span(draw: np.random.Generator, n_segments: int) -> np.ndarray:
    first, end = sorted(draw.choice(n_segments + 1, 2, replace=False))
    return (np.arange(n_segments) >= first) & (np.arange(n_segments) < end)


def _features(visual: np.ndarray, audio: np.ndarray) -> VideoFeatures:
    edges, every = np.arange(len(audio) + 1.0), np.ones(len(audio), bool)
    return VideoFeatures(
        video_id="",
        segment_times=np.stack([edges[:-1], edges[1:]], axis=1),
        visual=visual,
        audio=audio,
        frame_index=None,
        visual_valid=every,
        audio_valid=every,
        duration=float(len(audio)),
        fps_sampled=16.0,
        segment_seconds=1.0,
        spec=FeatureSpec("", "", "", ""),
    )


if __name__ == "__main__":
    main()
