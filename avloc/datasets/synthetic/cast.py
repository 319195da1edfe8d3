"""Who can be seen and heard: what a plan's numbers stand for as pixels and as samples.

Two kinds: :data:`DRAWN` here, looks and sounds from formulas, and
:class:`~.media_cast.MediaCast`, photographs and recordings from folders.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from avloc.datasets.synthetic.composition import ObjectPlan, SoundPlan
from avloc.datasets.synthetic.looks import LOOKS, draw
from avloc.datasets.synthetic.sounds import SOUNDS, Samples

Drawing = NDArray[np.float32]
"""(h, w, 4): premultiplied red, green, blue in 0 to 255 and coverage in 0 to 1."""


class Actor(Protocol):
    """One object of a clip, ready to be drawn."""

    def shown(self, turn: float) -> tuple[Drawing, float, float]:
        """Return its drawing, and how far it is from its place, right and down, -1 to 1.

        Args:
            turn: where in the turn of its motion it is, 0 to 1.
        """
        ...


class Cast(Protocol):
    """The classes of a data set: each can be seen and heard."""

    @property
    def media(self) -> str:
        """What tells its files from other files; empty when it has none."""
        ...

    def label(self, kind: int) -> str:
        """Return a class's label."""
        ...

    def actor(self, plan: ObjectPlan, split: str, height: int) -> Actor:
        """Return an object for clips of a split, in pictures of a height."""
        ...

    def wave(self, plan: SoundPlan, split: str, rate: int) -> Samples:
        """Return samples of any level for the whole time a sound is heard."""
        ...

    def seen_as(self, plan: ObjectPlan, split: str) -> dict[str, str]:
        """Say in a word or two what an object looks like."""
        ...

    def heard_as(self, plan: SoundPlan, split: str) -> dict[str, str]:
        """Say in a word or two what a sound is."""
        ...


class DrawnActor:
    """An object from a formula."""

    def __init__(self, plan: ObjectPlan, height: int) -> None:
        self.plan, self.radius = plan, plan.size * height / 2

    def shown(self, turn: float) -> tuple[Drawing, float, float]:
        """Draw it; the poses of a turn come again and again, and are drawn once."""
        plan, pose = self.plan, LOOKS[self.plan.kind].motion(turn)
        drawing = draw(plan.kind, pose.angle, pose.scale, self.radius, plan.hue, plan.grain)
        return drawing, pose.x, pose.y


class DrawnCast:
    """Looks and sounds from formulas, the same in every split."""

    media = ""

    def label(self, kind: int) -> str:
        """Return what the class's source does, and what it is."""
        return f"{SOUNDS[kind].name} {LOOKS[kind].name}"

    def actor(self, plan: ObjectPlan, split: str, height: int) -> Actor:
        """Return the plan's look."""
        return DrawnActor(plan, height)

    def wave(self, plan: SoundPlan, split: str, rate: int) -> Samples:
        """Synthesise the plan's sound."""
        start, end = plan.heard
        clock = np.arange((end - start) * rate) / rate
        return SOUNDS[plan.kind].wave(np.random.default_rng(plan.seed), clock, plan.pitch)

    def seen_as(self, plan: ObjectPlan, split: str) -> dict[str, str]:
        """Name the look."""
        return {"look": LOOKS[plan.kind].name}

    def heard_as(self, plan: SoundPlan, split: str) -> dict[str, str]:
        """Name the sound."""
        return {"sound": SOUNDS[plan.kind].name}


DRAWN = DrawnCast()
