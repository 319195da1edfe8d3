"""Where objects stand in the picture, and how a sound is played: the draws of every composer."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.random import Generator

from avloc.datasets.synthetic.clip_plan import Interval, ObjectPlan, SoundPlan
from avloc.datasets.synthetic.synthesis_config import SynthesisConfig

SIZES = (0.28, 0.38)
"""The range of an object's diameter, as a fraction of the picture's height."""
REACH = 0.04
"""How far a motion carries an object from its position, as a fraction of the same height."""
N_TRIES = 40
_SMALLER = 0.85  # where an object must be shown and finds no room
_N_SIZES = 8


def draw_sound(rng: Generator, class_index: int, heard: Interval, decibels: float = 0) -> SoundPlan:
    """Draw how a sound of a class is played."""
    return SoundPlan(
        class_index,
        heard,
        gain=float(0.05 * 10 ** (rng.uniform(-4, 2) / 20)) * 10 ** (decibels / 20),
        pitch=float(2 ** rng.uniform(-0.15, 0.15)),
        seed=int(rng.integers(2**31)),
    )


def place_first(
    rng: Generator, config: SynthesisConfig, class_index: int, seen: Interval
) -> ObjectPlan:
    """Place the first object of a clip: over the centre in a set share of clips only."""
    may_cover = rng.random() < config.over_centre
    for _ in range(N_TRIES):
        candidate = _object(rng, config, class_index, seen)
        if may_cover or not _overlap(config, candidate, (0.5, 0.5)):
            break
    return candidate


def place_beside(
    rng: Generator,
    config: SynthesisConfig,
    class_index: int,
    seen: Interval,
    others: Sequence[ObjectPlan],
) -> ObjectPlan | None:
    """Place an object that covers no other; None if no room is found for it."""
    return _placed(rng, config, class_index, seen, others, 1.0)[1]


def squeeze_beside(
    rng: Generator,
    config: SynthesisConfig,
    class_index: int,
    seen: Interval,
    others: Sequence[ObjectPlan],
) -> ObjectPlan:
    """Place an object beside others, smaller where it must be; it may cover one in the end."""
    for n in range(_N_SIZES):
        last, placed = _placed(rng, config, class_index, seen, others, _SMALLER**n)
        if placed is not None:
            return placed
    return last


def _placed(
    rng: Generator,
    config: SynthesisConfig,
    class_index: int,
    seen: Interval,
    others: Sequence[ObjectPlan],
    factor: float,
) -> tuple[ObjectPlan, ObjectPlan | None]:
    """Return the last candidate, and again if it covers no other object."""
    for _ in range(N_TRIES):
        candidate = _object(rng, config, class_index, seen, factor)
        if not any(_overlap(config, candidate, (o.x, o.y), o.size) for o in others):
            return candidate, candidate
    return candidate, None


def _object(
    rng: Generator, config: SynthesisConfig, class_index: int, seen: Interval, factor: float = 1.0
) -> ObjectPlan:
    size = float(rng.uniform(*SIZES)) * config.object_size * factor
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
