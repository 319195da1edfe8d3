"""What happens in a clip: who is seen where and when, and what is heard when.

An event lasts where its class is seen *and* heard. Seen alone and heard alone are background,
objects of other classes stand silent beside the source, and sounds of other classes come from
off screen, so neither sense can tell by itself what the event is or when.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from avloc.datasets.dataset import SPLITS
from avloc.datasets.synthetic.synthesis_config import SynthesisConfig

Interval = tuple[int, int]
"""Whole seconds, the end exclusive."""

MIN_EVENT_SECONDS = 2
SIZES = (0.28, 0.38)
"""An object's diameter, as a fraction of the picture's height."""
REACH = 0.04
"""How far a motion carries an object from its place, in the same unit."""
N_TRIES = 40


@dataclass(frozen=True)
class ObjectPlan:
    """One object of the picture.

    Attributes:
        kind: which look.
        seen: when it is there.
        x: its place, as fractions of the picture's width, and
        y: height.
        size: its diameter as a fraction of the picture's height.
        period: seconds of one turn of its motion.
        phase: where in that turn it begins, 0 to 1.
        hue: how far its colour is turned, -1 to 1.
        grain: how much finer its texture is, about 1.
        is_moving: it may also stand still.
    """

    kind: int
    seen: Interval
    x: float
    y: float
    size: float
    period: float
    phase: float
    hue: float
    grain: float
    is_moving: bool


@dataclass(frozen=True)
class SoundPlan:
    """One sound.

    Attributes:
        kind: which sound.
        heard: when it is there.
        gain: its root mean square, about 0.05: a sound that ticks has peaks far above it.
        pitch: the factor on its frequencies, about 1.
        seed: of what else varies in it.
    """

    kind: int
    heard: Interval
    gain: float
    pitch: float
    seed: int


@dataclass(frozen=True)
class ClipPlan:
    """A clip before it is drawn.

    Attributes:
        video_id: its name.
        split: where it belongs.
        kind: its class, the look and the sound of the source.
        source: the object that the event's sound comes from.
        sound: that sound.
        silent: objects of other classes, none of which is ever heard in this clip.
        offscreen: sounds of other classes, none of which is ever seen in this clip.
        noise: amplitude of the noise beside the sound.
        seed: of the background and of the noise.
    """

    video_id: str
    split: str
    kind: int
    source: ObjectPlan
    sound: SoundPlan
    silent: tuple[ObjectPlan, ...]
    offscreen: tuple[SoundPlan, ...]
    noise: float
    seed: int

    @property
    def event(self) -> Interval:
        """When the source is both seen and heard."""
        return (
            max(self.source.seen[0], self.sound.heard[0]),
            min(self.source.seen[1], self.sound.heard[1]),
        )


def compose(config: SynthesisConfig, split: str, place: int) -> ClipPlan:
    """Plan one clip.

    Args:
        config: the data set.
        split: the clip's split, and
        place: its number there, from 0. The classes take turns.
    """
    rng = np.random.default_rng([config.seed, SPLITS.index(split), place])
    kind = place % config.n_classes
    seen, heard = _seen_and_heard(rng, config)
    others = [int(k) for k in rng.permutation(config.n_classes) if k != kind]
    n_silent = int(rng.integers(1, 3)) if rng.random() < config.silent else 0
    objects = _objects(rng, config, kind, seen, others[:n_silent])
    is_offscreen = rng.random() < config.offscreen and len(others) > n_silent
    return ClipPlan(
        video_id=f"{split}{place:05d}",
        split=split,
        kind=kind,
        source=objects[0],
        sound=_sound(rng, kind, heard),
        silent=tuple(objects[1:]),
        offscreen=(_offscreen(rng, config, others[-1]),) if is_offscreen else (),
        noise=config.sound_noise * float(rng.uniform(0.3, 1.7)),
        seed=int(rng.integers(2**31)),
    )


def _seen_and_heard(rng: Generator, config: SynthesisConfig) -> tuple[Interval, Interval]:
    """Draw the event, then let one sense go on beyond each of its ends, or neither."""
    length = int(rng.integers(MIN_EVENT_SECONDS, config.seconds - 1))
    start = int(rng.integers(0, config.seconds - length + 1))
    seen, heard = [start, start + length], [start, start + length]
    if rng.random() < config.inconsistent:
        for side, room in enumerate((start, config.seconds - start - length)):
            longer = seen if rng.random() < 0.5 else heard
            longer[side] += (2 * side - 1) * _further(rng, room)
    return (seen[0], seen[1]), (heard[0], heard[1])


def _further(rng: Generator, room: int) -> int:
    """Draw how long one sense goes on alone: in half of the cases all the room there is."""
    return room if room == 0 or rng.random() < 0.5 else int(rng.integers(1, room + 1))


def _interval(rng: Generator, config: SynthesisConfig) -> Interval:
    """Draw an interval that cannot be told from the source's by its length."""
    seen, heard = _seen_and_heard(rng, config)
    return seen if rng.random() < 0.5 else heard


def _sound(rng: Generator, kind: int, heard: Interval) -> SoundPlan:
    return SoundPlan(
        kind=kind,
        heard=heard,
        gain=float(0.05 * 10 ** (rng.uniform(-4, 2) / 20)),
        pitch=float(2 ** rng.uniform(-0.15, 0.15)),
        seed=int(rng.integers(2**31)),
    )


def _offscreen(rng: Generator, config: SynthesisConfig, kind: int) -> SoundPlan:
    sound = _sound(rng, kind, _interval(rng, config))
    return replace(sound, gain=sound.gain * 10 ** (config.offscreen_gain / 20))


def _objects(
    rng: Generator, config: SynthesisConfig, kind: int, seen: Interval, silent: list[int]
) -> list[ObjectPlan]:
    """Place the source, then as many silent objects as find room beside it.

    A source too large to leave the centre free covers it.
    """
    may_cover = rng.random() < config.over_centre
    objects: list[ObjectPlan] = []
    for number, look in enumerate([kind, *silent]):
        interval = seen if number == 0 else _interval(rng, config)
        for _ in range(N_TRIES):
            candidate = _object(rng, config, look, interval)
            covers = _overlap(config, candidate, None) and number == 0 and not may_cover
            if not covers and not any(_overlap(config, candidate, one) for one in objects):
                objects.append(candidate)
                break
        else:
            if number == 0:
                objects.append(candidate)
    return objects


def _object(rng: Generator, config: SynthesisConfig, kind: int, seen: Interval) -> ObjectPlan:
    size = float(rng.uniform(*SIZES)) * config.object_size
    x_reach, y_reach = _half_extents(config, size)
    return ObjectPlan(
        kind=kind,
        seen=seen,
        x=float(rng.uniform(x_reach, 1 - x_reach)),
        y=float(rng.uniform(y_reach, 1 - y_reach)),
        size=size,
        period=float(rng.uniform(0.9, 2.0)),
        phase=float(rng.random()),
        hue=float(rng.uniform(-1, 1)),
        grain=float(rng.uniform(0.85, 1.15)),
        is_moving=bool(rng.random() < 0.8),
    )


def _half_extents(config: SynthesisConfig, size: float) -> tuple[float, float]:
    y_reach = size / 2 + REACH
    return y_reach * config.height / config.width, y_reach


def _overlap(config: SynthesisConfig, one: ObjectPlan, other: ObjectPlan | None) -> bool:
    """Tell whether two objects may touch; without another, whether one may touch the centre."""
    x, y = (other.x, other.y) if other else (0.5, 0.5)
    x_other, y_other = _half_extents(config, other.size) if other else (0.0, 0.0)
    x_reach, y_reach = _half_extents(config, one.size)
    return abs(one.x - x) < x_reach + x_other and abs(one.y - y) < y_reach + y_other
