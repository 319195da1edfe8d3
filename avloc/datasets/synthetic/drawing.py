"""A clip's frames, and where its source is in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from avloc.datasets.boxes import Box
from avloc.datasets.synthetic.background import background
from avloc.datasets.synthetic.cast import DRAWN, Cast
from avloc.datasets.synthetic.composition import REACH, ClipPlan, ObjectPlan
from avloc.datasets.synthetic.synthesis_config import SynthesisConfig

Frame = NDArray[np.uint8]

NOISE_MARGIN = 32
VISIBLE = 0.5
"""A pixel belongs to an object that covers this much of it."""


@dataclass(frozen=True)
class _Stamp:
    """An object as it is put on a frame: its drawing, and the drawing's upper left corner."""

    drawing: NDArray[np.float32]
    left: int
    top: int


class _Mover:
    """An object in motion; a turn has so many poses, the same in every turn."""

    def __init__(self, plan: ObjectPlan, split: str, config: SynthesisConfig, cast: Cast) -> None:
        self.plan, self.config = plan, config
        self.actor = cast.actor(plan, split, config.height)
        self.n_poses = max(2, round(plan.period * config.fps))

    def is_seen(self, frame: int) -> bool:
        start, end = self.plan.seen
        return start * self.config.fps <= frame < end * self.config.fps

    def stamp(self, frame: int) -> _Stamp:
        step = frame % self.n_poses if self.plan.is_moving else 0
        drawing, right, down = self.actor.shown((step / self.n_poses + self.plan.phase) % 1)
        reach = REACH * self.config.height
        x = self.plan.x * self.config.width + reach * right - drawing.shape[1] / 2
        y = self.plan.y * self.config.height + reach * down - drawing.shape[0] / 2
        return _Stamp(drawing, round(x), round(y))


def frames(plan: ClipPlan, config: SynthesisConfig, cast: Cast = DRAWN) -> Iterator[Frame]:
    """Yield a clip's frames, each (height, width, 3) red, green, blue."""
    rng = np.random.default_rng([plan.seed, 1])
    ground = background(rng, config.width, config.height)
    noise = _noise(rng, config)
    movers = [_Mover(one, plan.split, config, cast) for one in (*plan.silent, plan.source)]
    for second in range(config.seconds):
        # Noise that changed with every frame would be most of the file and of the work.
        top, left = rng.integers(0, NOISE_MARGIN, size=2)
        grain = noise[top : top + config.height, left : left + config.width]
        empty = np.clip(ground + grain, 0, 255).astype(np.uint8)
        for number in range(second * config.fps, (second + 1) * config.fps):
            frame = empty.copy()
            for mover in movers:
                if mover.is_seen(number):
                    _put(frame, mover.stamp(number), grain)
            yield frame


def source_boxes(plan: ClipPlan, config: SynthesisConfig, cast: Cast = DRAWN) -> list[Box | None]:
    """Return the source's box in every second of the event, None in the others.

    The box holds everything that the source covers in that second.
    """
    mover = _Mover(plan.source, plan.split, config, cast)
    start, end = plan.event
    return [
        _box([mover.stamp(second * config.fps + k) for k in range(config.fps)], config)
        if start <= second < end
        else None
        for second in range(config.seconds)
    ]


def _box(stamps: list[_Stamp], config: SynthesisConfig) -> Box:
    edges = np.array([_edges(stamp) for stamp in stamps])
    left, top = edges[:, :2].min(axis=0)
    right, bottom = edges[:, 2:].max(axis=0)
    fractions = (
        left / config.width,
        top / config.height,
        right / config.width,
        bottom / config.height,
    )
    x0, y0, x1, y1 = (round(min(max(float(edge), 0.0), 1.0), 4) for edge in fractions)
    return (x0, y0, x1, y1)


def _edges(stamp: _Stamp) -> tuple[int, int, int, int]:
    visible = stamp.drawing[..., 3] >= VISIBLE
    columns, rows = np.flatnonzero(visible.any(axis=0)), np.flatnonzero(visible.any(axis=1))
    return (
        stamp.left + int(columns[0]),
        stamp.top + int(rows[0]),
        stamp.left + int(columns[-1]) + 1,
        stamp.top + int(rows[-1]) + 1,
    )


def _put(frame: Frame, stamp: _Stamp, grain: NDArray[np.float32]) -> None:
    """Lay a drawing on the frame, cut at its edges, under the same noise."""
    height, width = stamp.drawing.shape[:2]
    place = (
        slice(max(0, stamp.top), stamp.top + height),
        slice(max(0, stamp.left), stamp.left + width),
    )
    part = frame[place]
    drawing = stamp.drawing[max(0, -stamp.top) :, max(0, -stamp.left) :]
    drawing = drawing[: part.shape[0], : part.shape[1]]
    cover = drawing[..., 3:]
    laid = part * (1 - cover) + drawing[..., :3] + cover * grain[place]
    frame[place] = np.clip(laid, 0, 255).astype(np.uint8)


def _noise(rng: Generator, config: SynthesisConfig) -> NDArray[np.float32]:
    shape = (config.height + NOISE_MARGIN, config.width + NOISE_MARGIN, 3)
    level = config.picture_noise * rng.uniform(0.5, 1.5)
    return np.asarray(level * rng.standard_normal(shape, dtype=np.float32))
