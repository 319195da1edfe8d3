"""Clips in which sound and picture disagree in a set share of the seconds.

Each clip has an event of one class, where its source is seen and heard. In a second of
disagreement something is seen and not heard, or heard and not seen, or both: during the event an
object or a sound of another class; before and after it the source itself, or two other classes.
In all other seconds the senses agree: the event alone, or nothing. Everything but the number of
such seconds is drawn first, so data sets of different shares hold the same events, and the seconds
of a smaller share are among those of a greater one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import groupby

from numpy.random import Generator

from avloc.datasets.synthetic.clip_plan import ClipPlan, Interval, ObjectPlan, SoundPlan, Source
from avloc.datasets.synthetic.placement import draw_sound, place_first, squeeze_beside
from avloc.datasets.synthetic.synthesis_config import MIN_EVENT_SECONDS, SynthesisConfig

_SEEN, _HEARD, _BOTH = _KINDS = ("seen", "heard", "both")
"""What a second of disagreement adds: something seen, something heard, or one of each."""


@dataclass
class _Track:
    """An object and a sound, and the seconds in which they are seen and heard."""

    shown: ObjectPlan
    sound: SoundPlan
    seen: set[int] = field(default_factory=set)
    heard: set[int] = field(default_factory=set)

    def objects(self) -> list[ObjectPlan]:
        return [replace(self.shown, seen=run) for run in _runs(self.seen)]

    def sounds(self) -> list[SoundPlan]:
        return [replace(self.sound, heard=run) for run in _runs(self.heard)]


def compose_disagreement(
    rng: Generator, config: SynthesisConfig, split: str, video_id: str, class_index: int
) -> ClipPlan:
    """Plan a clip whose senses disagree in ``config.inconsistent_seconds`` of its seconds."""
    length = int(rng.integers(MIN_EVENT_SECONDS, config.seconds - 1))
    start = int(rng.integers(0, config.seconds - length + 1))
    event = (start, start + length)
    classes = [int(k) for k in rng.permutation(config.n_classes) if k != class_index]
    shown = place_first(rng, config, class_index, event)
    source = _Track(shown, draw_sound(rng, class_index, event))
    others = _Track(
        squeeze_beside(rng, config, classes[0], event, [shown]),
        draw_sound(rng, classes[1], event, config.offscreen_gain),
    )
    kinds = [_KINDS[int(k)] for k in rng.integers(len(_KINDS), size=3)]
    first, rounding = int(rng.integers(config.seconds)), rng.random()
    n_seconds = int(config.inconsistent_seconds * config.seconds + rounding)
    for second in ((first + k) % config.seconds for k in range(n_seconds)):
        _disagree(source, others, kinds, second, event)
    return _as_plan(rng, config, split, video_id, event, source, others)


def _disagree(
    source: _Track, others: _Track, kinds: list[str], second: int, event: Interval
) -> None:
    """Add what disagrees in a second; ``kinds`` are those before, during and after the event."""
    kind = kinds[(second >= event[0]) + (second >= event[1])]
    is_event = event[0] <= second < event[1]
    track = others if is_event or kind == _BOTH else source
    if kind != _HEARD:
        track.seen.add(second)
    if kind != _SEEN:
        track.heard.add(second)


def _as_plan(
    rng: Generator,
    config: SynthesisConfig,
    split: str,
    video_id: str,
    event: Interval,
    source: _Track,
    others: _Track,
) -> ClipPlan:
    source.seen.update(range(*event))
    source.heard.update(range(*event))
    objects, sounds = source.objects(), source.sounds()
    shown = next(item for item in objects if event[0] in range(*item.seen))
    sound = next(item for item in sounds if event[0] in range(*item.heard))
    return ClipPlan(
        video_id=video_id,
        split=split,
        sources=(Source(shown, sound),),
        silent=(*(item for item in objects if item is not shown), *others.objects()),
        offscreen=(*(item for item in sounds if item is not sound), *others.sounds()),
        noise=config.sound_noise * float(rng.uniform(0.3, 1.7)),
        seed=int(rng.integers(2**31)),
    )


def _runs(seconds: Iterable[int]) -> list[Interval]:
    """Return the intervals of seconds that follow one another."""
    numbered = enumerate(sorted(seconds))
    groups = (list(run) for _, run in groupby(numbered, key=lambda pair: pair[1] - pair[0]))
    return [(run[0][1], run[-1][1] + 1) for run in groups]
