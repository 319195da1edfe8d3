"""A clip plan as pixels and samples, and the boxes of its sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from avloc.datasets.boxes import Box
from avloc.datasets.synthetic.clip_plan import NEVER, ClipPlan, ObjectPlan, Source
from avloc.datasets.synthetic.looks import Drawing, Plane
from avloc.datasets.synthetic.material import DRAWN, Material, Motion
from avloc.datasets.synthetic.placement import REACH
from avloc.datasets.synthetic.synthesis_config import SynthesisConfig

Frame = NDArray[np.uint8]

NOISE_MARGIN = 32
VISIBLE = 0.5
"""A pixel belongs to an object that covers at least this much of it."""
FADE_SECONDS = 0.01
LOUDEST = 0.95


def frames(plan: ClipPlan, config: SynthesisConfig, material: Material = DRAWN) -> Iterator[Frame]:
    """Yield a clip's frames, each (height, width, 3) red, green, blue."""
    rng = np.random.default_rng([plan.seed, 1])
    ground = _background(rng, config.width, config.height)
    level = config.picture_noise * rng.uniform(0.5, 1.5)
    shape = (config.height + NOISE_MARGIN, config.width + NOISE_MARGIN, 3)
    noise = level * rng.standard_normal(shape, dtype=np.float32)
    objects = [
        _Object(item, config, material.motion(item, plan.split, config.height))
        for item in plan.objects
        if item.seen != NEVER
    ]
    for second in range(config.seconds):
        # Noise that changed with every frame would be most of the file and of the work.
        top, left = rng.integers(0, NOISE_MARGIN, size=2)
        grain = noise[top : top + config.height, left : left + config.width]
        empty = np.clip(ground + grain, 0, 255).astype(np.uint8)
        visible = [item for item in objects if second in range(*item.plan.seen)]
        for number in range(second * config.fps, (second + 1) * config.fps):
            frame = empty.copy()
            for item in visible:
                _put(frame, item.stamp(number), grain)
            yield frame


def event_boxes(
    plan: ClipPlan, config: SynthesisConfig, material: Material = DRAWN
) -> list[tuple[Box, ...]]:
    """Return for each second the boxes of the sources that are both seen and heard in it."""
    boxes: list[tuple[Box, ...]] = [()] * config.seconds
    for source in plan.sources:
        for second, box in zip(
            range(*source.together),
            _source_boxes(source, plan.split, config, material),
            strict=True,
        ):
            boxes[second] += (box,)
    return boxes


def _source_boxes(
    source: Source, split: str, config: SynthesisConfig, material: Material
) -> Iterator[Box]:
    """Yield a box around what a source covers, for each second in which it is seen and heard."""
    if source.together == NEVER:
        return
    shown = _Object(source.shown, config, material.motion(source.shown, split, config.height))
    for second in range(*source.together):
        numbers = range(second * config.fps, (second + 1) * config.fps)
        edges = np.array([_edges(shown.stamp(number)) for number in numbers])
        least, greatest = edges.min(axis=0)[:2], edges.max(axis=0)[2:]
        fractions = np.array([least, greatest]) / (config.width, config.height)
        x0, y0, x1, y1 = (round(float(edge), 4) for edge in fractions.clip(0, 1).flat)
        yield (x0, y0, x1, y1)


def soundtrack(
    plan: ClipPlan, config: SynthesisConfig, material: Material = DRAWN
) -> NDArray[np.float32]:
    """Return (n,) samples in -1 to 1: the sources' sounds, those from off screen, and noise."""
    rate, n_samples = config.sound_rate, config.sound_rate * config.seconds
    mixed = np.zeros(n_samples)
    for sound in (sound for sound in plan.sounds if sound.heard != NEVER):
        wave = material.wave(sound, plan.split, rate)
        start, end = (second * rate for second in sound.heard)
        clock = np.arange(end - start) / rate
        fade = np.minimum(1, np.minimum(clock, clock[::-1]) / FADE_SECONDS)
        mixed[start:end] += sound.gain * fade * wave / np.sqrt(np.mean(wave**2))
    rng = np.random.default_rng([plan.seed, 2])
    # The noise has a soft treble, as in rooms: white noise and its own running sum, half each.
    white = rng.standard_normal(n_samples)
    low = np.convolve(white, np.ones(8) / np.sqrt(8), mode="same")
    mixed += plan.noise * plan.sources[0].sound.gain * (white + low) / 2
    peak = float(np.abs(mixed).max())
    return (mixed * min(1.0, LOUDEST / max(peak, 1e-9))).astype(np.float32)


class _Stamp(NamedTuple):
    drawing: Drawing
    left: int
    top: int


class _Object:
    """An object in motion; a turn has a fixed number of poses, the same in every turn."""

    def __init__(self, plan: ObjectPlan, config: SynthesisConfig, motion: Motion) -> None:
        self.plan, self.config, self.motion = plan, config, motion
        self.n_poses = max(2, round(plan.period * config.fps))

    def stamp(self, number: int) -> _Stamp:
        step = number % self.n_poses if self.plan.is_moving else 0
        drawing, right, down = self.motion((step / self.n_poses + self.plan.phase) % 1)
        reach = REACH * self.config.height
        x = self.plan.x * self.config.width + reach * right - drawing.shape[1] / 2
        y = self.plan.y * self.config.height + reach * down - drawing.shape[0] / 2
        return _Stamp(drawing, round(x), round(y))


def _edges(stamp: _Stamp) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what an object covers, in pixels."""
    rows, columns = np.nonzero(stamp.drawing[..., 3] >= VISIBLE)
    left, top = stamp.left, stamp.top
    return left + columns.min(), top + rows.min(), left + columns.max() + 1, top + rows.max() + 1


def _put(frame: Frame, stamp: _Stamp, grain: NDArray[np.float32]) -> None:
    """Lay a drawing on the frame, cut at its edges, under the same noise."""
    height, width = stamp.drawing.shape[:2]
    area = (
        slice(max(0, stamp.top), stamp.top + height),
        slice(max(0, stamp.left), stamp.left + width),
    )
    part = frame[area]
    drawing = stamp.drawing[max(0, -stamp.top) :, max(0, -stamp.left) :]
    drawing = drawing[: part.shape[0], : part.shape[1]]
    cover = drawing[..., 3:]
    laid = part * (1 - cover) + drawing[..., :3] + cover * grain[area]
    frame[area] = np.clip(laid, 0, 255).astype(np.uint8)


def _background(rng: Generator, width: int, height: int) -> Plane:
    """Return (height, width, 3): a gradient of two muted colours under one of four textures."""
    down, across = np.mgrid[0:height, 0:width].astype(np.float32) / height
    first, second = rng.uniform(60, 200, size=(2, 1, 1, 3)).astype(np.float32)
    direction = rng.uniform(0, 2 * np.pi)
    slope = 0.5 + 0.5 * (np.cos(direction) * (across - 0.6) + np.sin(direction) * (down - 0.5))
    ground = first + (second - first) * slope[..., None]
    texture = (_clouds, _waves, _bricks, _smooth)[rng.integers(4)]
    return np.asarray(ground + rng.uniform(8, 24) * texture(rng, across, down)[..., None])


def _clouds(rng: Generator, across: Plane, down: Plane) -> Plane:
    coarse = rng.normal(size=(9, 12)).astype(np.float32)
    y, x = (down * 7).clip(0, 7.99), (across / across.max() * 10).clip(0, 10.99)
    top, left = y.astype(int), x.astype(int)
    y, x = y - top, x - left
    upper = coarse[top, left] * (1 - x) + coarse[top, left + 1] * x
    lower = coarse[top + 1, left] * (1 - x) + coarse[top + 1, left + 1] * x
    return np.asarray(upper * (1 - y) + lower * y)


def _waves(rng: Generator, across: Plane, down: Plane) -> Plane:
    direction, length = rng.uniform(0, np.pi), rng.uniform(8, 30)
    return np.asarray(np.sin(length * (np.cos(direction) * across + np.sin(direction) * down)))


def _bricks(rng: Generator, across: Plane, down: Plane) -> Plane:
    n_rows = int(rng.integers(4, 9))
    row = np.floor(down * n_rows)
    column = np.floor(across * n_rows / 2 + 0.5 * (row % 2))
    shades = rng.normal(size=(n_rows + 1, 2 * n_rows + 2)).astype(np.float32)
    return np.asarray(0.7 * shades[row.astype(int), column.astype(int)])


def _smooth(rng: Generator, across: Plane, down: Plane) -> Plane:
    return np.zeros_like(across)
