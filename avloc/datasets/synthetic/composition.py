"""Plans of clips: which objects are seen, where and when, and which sounds are heard when.

An event lasts while its class is seen *and* heard. Silent objects stand beside the source, other
sounds come from off screen: neither sense alone can say what the event is or when it happens.
Clips of several events, and clips with a set share of disagreement, have composers of their own.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from avloc.datasets.dataset import SPLITS
from avloc.datasets.synthetic.clip_plan import ClipPlan, Interval, SoundPlan, Source
from avloc.datasets.synthetic.disagreement import compose_disagreement
from avloc.datasets.synthetic.placement import draw_sound, place_beside, place_first
from avloc.datasets.synthetic.several_events import compose_several
from avloc.datasets.synthetic.synthesis_config import MIN_EVENT_SECONDS, SynthesisConfig


def compose(config: SynthesisConfig, split: str, number: int) -> ClipPlan:
    """Plan the clip with a number, counted from 0, in a split. The classes take turns."""
    rng = np.random.default_rng([config.seed, SPLITS.index(split), number])
    class_index, video_id = number % config.n_classes, f"{split}{number:05d}"
    if config.is_independent:
        return compose_several(rng, config, split, video_id, class_index)
    if config.inconsistent_seconds >= 0:
        return compose_disagreement(rng, config, split, video_id, class_index)
    seen, heard = _seen_and_heard(rng, config)
    others = [int(k) for k in rng.permutation(config.n_classes) if k != class_index]
    n_silent = int(rng.integers(1, 3)) if rng.random() < config.silent else 0
    objects = [place_first(rng, config, class_index, seen)]
    for k in others[:n_silent]:
        placed = place_beside(rng, config, k, _interval(rng, config), objects)
        objects += [placed] if placed else []
    is_offscreen = rng.random() < config.offscreen and len(others) > n_silent
    sound = draw_sound(rng, class_index, heard)
    offscreen: tuple[SoundPlan, ...] = ()
    if is_offscreen:
        interval = _interval(rng, config)
        offscreen = (draw_sound(rng, others[-1], interval, config.offscreen_gain),)
    return ClipPlan(
        video_id=video_id,
        split=split,
        sources=(Source(objects[0], sound),),
        silent=tuple(objects[1:]),
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
