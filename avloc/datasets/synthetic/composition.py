"""Plans of clips: which objects are seen, where and when, and which sounds are heard when.

An event lasts while its class is seen *and* heard. Silent objects stand beside the source, other
sounds come from off screen: neither sense alone can say what the event is or when it happens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from avloc.datasets.dataset import SPLITS
from avloc.datasets.synthetic.synthesis_config import SynthesisConfig

Interval = tuple[int, int]
"""Whole seconds, the end exclusive."""

MIN_EVENT_SECONDS = 2
SIZES = (0.28, 0.38)
"""The range of an object's diameter, as a fraction of the picture's height."""
REACH = 0.04
"""How far a motion carries an object from its position, as a fraction of the same height."""
N_TRIES = 40


@dataclass(frozen=True)
class ObjectPlan:
    """One object of the picture."""

    class_index: int
    seen: Interval
    x: float  # of its centre, as a fraction of the picture's width
    y: float  # of its centre, as a fraction of the picture's height
    size: float  # diameter, as a fraction of the picture's height
    period: float  # seconds of one turn of its motion
    phase: float  # where in a turn it begins, 0 to 1
    hue: float  # shift of its colours, -1 to 1
    grain: float  # factor on the frequency of its texture, about 1
    is_moving: bool


@dataclass(frozen=True)
class SoundPlan:
    """One sound."""

    class_index: int
    heard: Interval
    gain: float  # root mean square, about 0.05: the peaks of a ticking sound are far above it
    pitch: float  # factor on its frequencies, about 1
    seed: int  # of all else that varies in it


@dataclass(frozen=True)
class ClipPlan:
    """A clip before it is drawn; objects and sounds of other classes never become events."""

    video_id: str
    split: str
    class_index: int
    source: ObjectPlan
    sound: SoundPlan
    silent: tuple[ObjectPlan, ...]
    offscreen: tuple[SoundPlan, ...]
    noise: float  # as a factor on the source's sound
    seed: int  # of the background and the noise

    @property
    def event(self) -> Interval:
        """When the source is both seen and heard."""
        starts, ends = zip(self.source.seen, self.sound.heard, strict=True)
        return max(starts), min(ends)


def compose(config: SynthesisConfig, split: str, number: int) -> ClipPlan:
    """Plan the clip with a number, counted from 0, in a split. The classes take turns."""
    rng = np.random.default_rng([config.seed, SPLITS.index(split), number])
    class_index = number % config.n_classes
    seen, heard = _seen_and_heard(rng, config)
    others = [int(k) for k in rng.permutation(config.n_classes) if k != class_index]
    n_silent = int(rng.integers(1, 3)) if rng.random() < config.silent else 0
    source, *silent = _objects(rng, config, class_index, seen, others[:n_silent])
    is_offscreen = rng.random() < config.offscreen and len(others) > n_silent
    sound = _sound(rng, class_index, heard)
    offscreen: tuple[SoundPlan, ...] = ()
    if is_offscreen:
        interval = _interval(rng, config)
        offscreen = (_sound(rng, others[-1], interval, config.offscreen_gain),)
    return ClipPlan(
        video_id=f"{split}{number:05d}",
        split=split,
        class_index=class_index,
        source=source,
        sound=sound,
        silent=tuple(silent),
        offscreen=offscreen,
        noise=config.sound_noise * float(rng.uniform(0.3, 1.7)),
        seed=int(rng.integers(2**31)),
    )


def _seen_and_heard(rng: Generator, config: SynthesisConfig) -> tuple[Interval, Interval]:
    """Draw an event; one sense may go on alone beyond each end, in half of the cases to the end."""
    length = int(rng.integers(MIN_EVENT_SECONDS, config.seconds - 1))
    start = int(rng.integers(0, config.seconds - length + 1))
    seen, heard = [start, start + length], [start, start + length]
    if rng.random() < config.inconsistent:
        for side, room in enumerate((start, config.seconds - start - length)):
            longer = seen if rng.random() < 0.5 else heard
            is_whole = room == 0 or rng.random() < 0.5
            extra = room if is_whole else int(rng.integers(1, room + 1))
            longer[side] += (2 * side - 1) * extra
    return (seen[0], seen[1]), (heard[0], heard[1])


def _interval(rng: Generator, config: SynthesisConfig) -> Interval:
    """Draw an interval whose length has the same distribution as the source's."""
    seen, heard = _seen_and_heard(rng, config)
    return seen if rng.random() < 0.5 else heard


def _sound(rng: Generator, class_index: int, heard: Interval, decibels: float = 0) -> SoundPlan:
    return SoundPlan(
        class_index,
        heard,
        gain=float(0.05 * 10 ** (rng.uniform(-4, 2) / 20)) * 10 ** (decibels / 20),
        pitch=float(2 ** rng.uniform(-0.15, 0.15)),
        seed=int(rng.integers(2**31)),
    )


def _objects(
    rng: Generator, config: SynthesisConfig, source: int, seen: Interval, silent: list[int]
) -> list[ObjectPlan]:
    """Place the source, then as many silent objects as find room beside it."""
    may_cover = rng.random() < config.over_centre
    for _ in range(N_TRIES):
        candidate = _object(rng, config, source, seen)
        if may_cover or not _overlap(config, candidate, (0.5, 0.5)):
            break
    objects = [candidate]
    for class_index in silent:
        interval = _interval(rng, config)
        for _ in range(N_TRIES):
            candidate = _object(rng, config, class_index, interval)
            if not any(_overlap(config, candidate, (o.x, o.y), o.size) for o in objects):
                objects.append(candidate)
                break
    return objects


def _object(
    rng: Generator, config: SynthesisConfig, class_index: int, seen: Interval
) -> ObjectPlan:
    size = float(rng.uniform(*SIZES)) * config.object_size
    x_reach, y_reach = _reach(config, size)
    return ObjectPlan(
        class_index,
        seen,
        x=float(rng.uniform(x_reach, 1 - x_reach)),
        y=float(rng.uniform(y_reach, 1 - y_reach)),
        size=size,
        period=float(rng.uniform(0.9, 2.0)),
        phase=float(rng.random()),
        hue=float(rng.uniform(-1, 1)),
        grain=float(rng.uniform(0.85, 1.15)),
        is_moving=bool(rng.random() < 0.8),
    )


def _reach(config: SynthesisConfig, size: float) -> tuple[float, float]:
    """Return how far an object and its motion reach from its position, across and down."""
    y_reach = size / 2 + REACH
    return y_reach * config.height / config.width, y_reach


def _overlap(
    config: SynthesisConfig,
    item: ObjectPlan,
    position: tuple[float, float],
    size: float | None = None,
) -> bool:
    """Return whether an object may touch a point, or another object of a size there."""
    x_other, y_other = (0.0, 0.0) if size is None else _reach(config, size)
    x_reach, y_reach = _reach(config, item.size)
    x, y = position
    return abs(item.x - x) < x_reach + x_other and abs(item.y - y) < y_reach + y_other
