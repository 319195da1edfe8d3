"""Ten looks: a shape with a texture, two colours and a motion, drawn from formulas.

Every shape lies in the unit disc, so that it can turn in its box. Coordinates ``u, v`` run
from -1 to 1, to the right and down.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]
Colour = tuple[int, int, int]

OUTLINE = 1.14
OUTLINE_COLOUR = 20
FINENESS = 2
"""Each pixel is the mean of FINENESS x FINENESS drawn points: soft edges."""


def _polygon(n_corners: int) -> Callable[[Plane, Plane], Mask]:
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


def _disc(u: Plane, v: Plane) -> Mask:
    return np.asarray(np.hypot(u, v) <= 1)


def _ring(u: Plane, v: Plane) -> Mask:
    radius = np.hypot(u, v)
    return np.asarray((radius <= 1) & (radius >= 0.5))


def _cross(u: Plane, v: Plane) -> Mask:
    across, along = np.minimum(np.abs(u), np.abs(v)), np.maximum(np.abs(u), np.abs(v))
    return np.asarray((across <= 0.34) & (along <= 0.94))


def _crescent(u: Plane, v: Plane) -> Mask:
    return np.asarray((np.hypot(u, v) <= 1) & (np.hypot(u - 0.5, v) >= 0.72))


def _heart(u: Plane, v: Plane) -> Mask:
    x, y = 1.4 * u, -1.4 * v + 0.1
    bulge = x * x + y * y - 1
    return np.asarray(bulge * bulge * bulge <= x * x * y * y * y)


def _plain(u: Plane, v: Plane) -> Mask:
    return np.zeros(u.shape, dtype=np.bool_)


def _stripes(u: Plane, v: Plane) -> Mask:
    return np.asarray(np.sin(8.5 * (u + v)) > 0)


def _checks(u: Plane, v: Plane) -> Mask:
    return np.asarray(np.sin(8 * u) * np.sin(8 * v) > 0)


def _dots(u: Plane, v: Plane) -> Mask:
    return np.asarray(np.cos(13 * u) + np.cos(13 * v) > 0.7)


def _wedges(u: Plane, v: Plane) -> Mask:
    return np.asarray(np.sin(6 * np.arctan2(v, u)) > 0)


def _rings(u: Plane, v: Plane) -> Mask:
    return np.asarray(np.sin(14 * np.hypot(u, v)) > 0)


def _bars(u: Plane, v: Plane) -> Mask:
    return np.asarray(np.sin(11 * u) > 0.2)


def _lattice(u: Plane, v: Plane) -> Mask:
    return np.asarray(np.maximum(np.sin(9 * (u + v)), np.sin(9 * (u - v))) > 0.7)


@dataclass(frozen=True)
class Pose:
    """Where a motion has an object at one moment.

    Attributes:
        x: how far it is carried to the right, -1 to 1 times the motion's reach, and
        y: down.
        angle: radians clockwise.
        scale: of its size.
    """

    x: float = 0.0
    y: float = 0.0
    angle: float = 0.0
    scale: float = 1.0


def _bounce(turn: float) -> Pose:
    return Pose(y=1 - 2 * abs(np.sin(np.pi * turn)))


def _spin(turn: float) -> Pose:
    return Pose(angle=2 * np.pi * turn)


def _sway(turn: float) -> Pose:
    return Pose(x=np.sin(2 * np.pi * turn))


def _pulse(turn: float) -> Pose:
    return Pose(scale=0.88 + 0.12 * np.sin(2 * np.pi * turn))


def _tilt(turn: float) -> Pose:
    return Pose(angle=0.6 * np.sin(2 * np.pi * turn))


def _circle(turn: float) -> Pose:
    return Pose(x=np.cos(2 * np.pi * turn), y=np.sin(2 * np.pi * turn))


@dataclass(frozen=True)
class Look:
    """What a class looks like."""

    name: str
    shape: Callable[[Plane, Plane], Mask]
    texture: Callable[[Plane, Plane], Mask]
    colours: tuple[Colour, Colour]
    motion: Callable[[float], Pose]


def _diamond(u: Plane, v: Plane) -> Mask:
    return np.asarray(np.abs(u) / 0.66 + np.abs(v) <= 1)


LOOKS: tuple[Look, ...] = (
    Look("disc", _disc, _stripes, ((214, 40, 40), (245, 240, 230)), _bounce),
    Look("square", _polygon(4), _checks, ((25, 25, 25), (246, 208, 47)), _spin),
    Look("ring", _ring, _plain, ((38, 166, 190), (38, 166, 190)), _pulse),
    Look("star", _star, _plain, ((250, 150, 20), (250, 150, 20)), _sway),
    Look("triangle", _polygon(3), _dots, ((30, 130, 60), (240, 250, 235)), _tilt),
    Look("cross", _cross, _bars, ((40, 70, 200), (200, 215, 255)), _spin),
    Look("crescent", _crescent, _rings, ((150, 30, 130), (250, 190, 240)), _circle),
    Look("diamond", _diamond, _lattice, ((90, 60, 40), (230, 200, 160)), _bounce),
    Look("hexagon", _polygon(6), _wedges, ((235, 95, 30), (60, 60, 110)), _spin),
    Look("heart", _heart, _plain, ((235, 80, 130), (235, 80, 130)), _pulse),
)  # fmt: skip


@lru_cache(maxsize=64)
def draw(kind: int, angle: float, scale: float, radius: float, hue: float, grain: float) -> Plane:
    """Draw an object. A clip asks for the few poses of a turn again and again.

    Args:
        kind: which look.
        angle: how far it is turned, radians clockwise.
        scale: the factor on its size.
        radius: of its disc at scale 1, pixels.
        hue: -1 to 1, how its colours differ from the look's.
        grain: the factor on its texture's frequency.

    Returns:
        (S, S, 4) premultiplied red, green, blue in 0 to 255 and coverage in 0 to 1, the
        object's centre in the middle. Not to be written to.
    """
    look = LOOKS[kind]
    side = 2 * int(np.ceil(radius)) + 2
    steps = (np.arange(side * FINENESS, dtype=np.float32) + 0.5) / FINENESS - side / 2
    steps /= radius * scale
    across, down = np.meshgrid(steps, steps)
    # Python floats keep the planes in single precision, where numpy scalars would not.
    cos, sin = math.cos(angle), math.sin(angle)
    u: Plane = (cos * across + sin * down).astype(np.float32, copy=False)
    v: Plane = (cos * down - sin * across).astype(np.float32, copy=False)
    painted = np.empty((*u.shape, 4), dtype=np.float32)
    first, second = (_shifted(colour, hue) for colour in look.colours)
    painted[..., :3] = np.where(look.texture(grain * u, grain * v)[..., None], second, first)
    painted[..., :3][~look.shape(OUTLINE * u, OUTLINE * v)] = OUTLINE_COLOUR
    painted[..., 3] = 1
    painted *= look.shape(u, v)[..., None]
    return np.asarray(painted.reshape(side, FINENESS, side, FINENESS, 4).mean(axis=(1, 3)))


def _shifted(colour: Colour, hue: float) -> Plane:
    change = 22 * hue * np.array([1.0, -0.5, -1.0], dtype=np.float32)
    return np.clip(np.array(colour, dtype=np.float32) + change, 0, 255)
