"""Ten looks from formulas: a shape in the unit disc with a texture, two colours and a motion.

Coordinates ``u, v`` run from -1 to 1, to the right and down.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Drawing = NDArray[np.float32]
"""(h, w, 4): premultiplied red, green, blue in 0 to 255 and coverage in 0 to 1."""
Mask = NDArray[np.bool_]
Colour = tuple[int, int, int]
Region = Callable[[Plane, Plane], Any]
"""From coordinates to a mask of the same shape."""

OUTLINE = 1.14
OUTLINE_COLOUR = 20
OVERSAMPLING = 2
"""Each pixel is the mean of so many drawn points across and down: soft edges."""


def _polygon(n_corners: int) -> Region:
    def shape(u: Plane, v: Plane) -> Mask:
        sector = 2 * np.pi / n_corners
        angle = np.mod(np.arctan2(u, -v), sector) - sector / 2
        return np.asarray(np.hypot(u, v) * np.cos(angle) <= np.cos(sector / 2))

    return shape


def _star(u: Plane, v: Plane) -> Mask:
    # A straight edge from a point at radius 1 to an inner corner at radius 0.45.
    angle = np.abs(np.mod(np.arctan2(u, -v) + np.pi / 5, 2 * np.pi / 5) - np.pi / 5)
    x, y = np.hypot(u, v) * np.sin(angle), np.hypot(u, v) * np.cos(angle)
    corner_x, corner_y = 0.45 * np.sin(np.pi / 5), 0.45 * np.cos(np.pi / 5)
    return np.asarray(x * (1 - corner_y) <= corner_x * (1 - y))


def _cross(u: Plane, v: Plane) -> Mask:
    across, along = np.minimum(np.abs(u), np.abs(v)), np.maximum(np.abs(u), np.abs(v))
    return np.asarray((across <= 0.34) & (along <= 0.94))


def _heart(u: Plane, v: Plane) -> Mask:
    x, y = 1.4 * u, -1.4 * v + 0.1
    bulge = x * x + y * y - 1
    return np.asarray(bulge * bulge * bulge <= x * x * y * y * y)


SHAPES: Mapping[str, Region] = {
    "disc": lambda u, v: np.hypot(u, v) <= 1,
    "square": _polygon(4),
    "ring": lambda u, v: (np.hypot(u, v) <= 1) & (np.hypot(u, v) >= 0.5),
    "star": _star,
    "triangle": _polygon(3),
    "cross": _cross,
    "crescent": lambda u, v: (np.hypot(u, v) <= 1) & (np.hypot(u - 0.5, v) >= 0.72),
    "diamond": lambda u, v: np.abs(u) / 0.66 + np.abs(v) <= 1,
    "hexagon": _polygon(6),
    "heart": _heart,
}

TEXTURES: Mapping[str, Region] = {
    "plain": lambda u, v: np.zeros(u.shape, dtype=np.bool_),
    "stripes": lambda u, v: np.sin(8.5 * (u + v)) > 0,
    "checks": lambda u, v: np.sin(8 * u) * np.sin(8 * v) > 0,
    "dots": lambda u, v: np.cos(13 * u) + np.cos(13 * v) > 0.7,
    "wedges": lambda u, v: np.sin(6 * np.arctan2(v, u)) > 0,
    "rings": lambda u, v: np.sin(14 * np.hypot(u, v)) > 0,
    "bars": lambda u, v: np.sin(11 * u) > 0.2,
    "lattice": lambda u, v: np.maximum(np.sin(9 * (u + v)), np.sin(9 * (u - v))) > 0.7,
}


class Pose(NamedTuple):
    """An object's state at one moment of its motion."""

    x: float = 0.0  # how far it is carried to the right, -1 to 1 times the motion's reach
    y: float = 0.0  # how far it is carried down
    angle: float = 0.0  # radians clockwise
    scale: float = 1.0


MOTIONS: Mapping[str, Callable[[float], Pose]] = {
    "bounce": lambda turn: Pose(y=1 - 2 * abs(np.sin(np.pi * turn))),
    "spin": lambda turn: Pose(angle=2 * np.pi * turn),
    "sway": lambda turn: Pose(x=np.sin(2 * np.pi * turn)),
    "pulse": lambda turn: Pose(scale=0.88 + 0.12 * np.sin(2 * np.pi * turn)),
    "tilt": lambda turn: Pose(angle=0.6 * np.sin(2 * np.pi * turn)),
    "circle": lambda turn: Pose(x=np.cos(2 * np.pi * turn), y=np.sin(2 * np.pi * turn)),
}


class Look(NamedTuple):
    """What a class looks like: names of a shape, a texture and a motion, and two colours."""

    shape: str
    texture: str
    colours: tuple[Colour, Colour]
    motion: str


LOOKS: tuple[Look, ...] = (
    Look("disc", "stripes", ((214, 40, 40), (245, 240, 230)), "bounce"),
    Look("square", "checks", ((25, 25, 25), (246, 208, 47)), "spin"),
    Look("ring", "plain", ((38, 166, 190), (38, 166, 190)), "pulse"),
    Look("star", "plain", ((250, 150, 20), (250, 150, 20)), "sway"),
    Look("triangle", "dots", ((30, 130, 60), (240, 250, 235)), "tilt"),
    Look("cross", "bars", ((40, 70, 200), (200, 215, 255)), "spin"),
    Look("crescent", "rings", ((150, 30, 130), (250, 190, 240)), "circle"),
    Look("diamond", "lattice", ((90, 60, 40), (230, 200, 160)), "bounce"),
    Look("hexagon", "wedges", ((235, 95, 30), (60, 60, 110)), "spin"),
    Look("heart", "plain", ((235, 80, 130), (235, 80, 130)), "pulse"),
)


@lru_cache(maxsize=64)
def draw(
    class_index: int, angle: float, scale: float, radius: float, hue: float, grain: float
) -> Drawing:
    """Draw an object in the middle of a square, which is shared and must not be changed.

    ``angle`` is in radians clockwise, ``radius`` in pixels at scale 1, ``hue`` a shift of -1 to
    1, ``grain`` a factor on the texture's frequency.
    """
    look = LOOKS[class_index]
    shape, texture = SHAPES[look.shape], TEXTURES[look.texture]
    side = 2 * int(np.ceil(radius)) + 2
    steps = (np.arange(side * OVERSAMPLING, dtype=np.float32) + 0.5) / OVERSAMPLING - side / 2
    steps /= radius * scale
    across, down = np.meshgrid(steps, steps)
    # Python floats keep the planes in single precision, where numpy scalars would not.
    cos, sin = math.cos(angle), math.sin(angle)
    u: Plane = (cos * across + sin * down).astype(np.float32, copy=False)
    v: Plane = (cos * down - sin * across).astype(np.float32, copy=False)
    painted = np.empty((*u.shape, 4), dtype=np.float32)
    change = 22 * hue * np.array([1.0, -0.5, -1.0], dtype=np.float32)
    first, second = np.clip(np.array(look.colours, dtype=np.float32) + change, 0, 255)
    painted[..., :3] = np.where(texture(grain * u, grain * v)[..., None], second, first)
    painted[..., :3][~shape(OUTLINE * u, OUTLINE * v)] = OUTLINE_COLOUR
    painted[..., 3] = 1
    painted *= shape(u, v)[..., None]
    points = painted.reshape(side, OVERSAMPLING, side, OVERSAMPLING, 4)
    return np.asarray(points.mean(axis=(1, 3)))
