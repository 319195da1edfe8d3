"""The plan of a clip before it is drawn: its objects, its sounds, and the events they make."""

from __future__ import annotations

from dataclasses import dataclass

Interval = tuple[int, int]
"""Whole seconds, the end exclusive."""

NEVER: Interval = (0, 0)


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
class Source:
    """An object and its sound, of one class; either may be absent from the clip (`NEVER`)."""

    shown: ObjectPlan
    sound: SoundPlan
    kind: str = ""  # one of `several_events.KINDS`, where the clip may have several events

    @property
    def class_index(self) -> int:
        """The class of both."""
        return self.sound.class_index

    @property
    def together(self) -> Interval:
        """When it is both seen and heard; `NEVER` if that is at no time."""
        starts, ends = zip(self.shown.seen, self.sound.heard, strict=True)
        start, end = max(starts), min(ends)
        return (start, end) if start < end else NEVER


@dataclass(frozen=True)
class ClipPlan:
    """A clip before it is drawn.

    With exclusive labels its event is where the first source is seen and heard, and silent objects
    and sounds from off screen are no events. With independent labels each source is an event.
    """

    video_id: str
    split: str
    sources: tuple[Source, ...]
    silent: tuple[ObjectPlan, ...]
    offscreen: tuple[SoundPlan, ...]
    noise: float  # as a factor on the first source's sound
    seed: int  # of the background and the noise

    @property
    def event(self) -> Interval:
        """When the first source is both seen and heard."""
        return self.sources[0].together

    @property
    def objects(self) -> tuple[ObjectPlan, ...]:
        """Every object, in the order of drawing: the first source is in front."""
        return (*self.silent, *(source.shown for source in reversed(self.sources)))

    @property
    def sounds(self) -> tuple[SoundPlan, ...]:
        """Every sound."""
        return (*(source.sound for source in self.sources), *self.offscreen)
