"""Clips of several events, each known by hearing, by sight, or by both.

The events of a clip have different classes. An event is seen and heard at the same time, or it is
heard from off screen, or it is seen and silent, or its sound comes later than its picture. All are
events: which sense knows them is part of the truth.
"""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
from numpy.random import Generator

from avloc.datasets.synthetic.clip_plan import NEVER, ClipPlan, Interval, ObjectPlan, Source
from avloc.datasets.synthetic.placement import draw_sound, place_first, squeeze_beside
from avloc.datasets.synthetic.synthesis_config import MIN_EVENT_SECONDS, SynthesisConfig

HEARD_ONLY, SEEN_ONLY, LATE, BOTH = KINDS = ("heard only", "seen only", "late sound", "both")


def compose_several(
    rng: Generator, config: SynthesisConfig, split: str, video_id: str, class_index: int
) -> ClipPlan:
    """Plan a clip of one to ``config.events`` events; the first is of the given class."""
    others = [int(k) for k in rng.permutation(config.n_classes) if k != class_index]
    n_events = int(rng.integers(1, config.events + 1))
    kinds = [_kind(rng, config) for _ in range(n_events)]
    later = [config.late_seconds if kind == LATE else 0 for kind in kinds]
    do_overlap = rng.random() < config.overlap
    spans = _at_once(rng, config, later) if do_overlap else _in_turn(rng, config, later)
    sources: list[Source] = []
    for k, kind, span, late in zip((class_index, *others), kinds, spans, later, strict=False):
        sources.append(_source(rng, config, k, kind, span, late, [s.shown for s in sources]))
    return ClipPlan(
        video_id=video_id,
        split=split,
        sources=tuple(sources),
        silent=(),
        offscreen=(),
        noise=config.sound_noise * float(rng.uniform(0.3, 1.7)),
        seed=int(rng.integers(2**31)),
    )


def _kind(rng: Generator, config: SynthesisConfig) -> str:
    shares = accumulate((config.heard_only, config.seen_only, config.late))
    drawn = rng.random()
    return next((kind for kind, most in zip(KINDS, shares, strict=False) if drawn < most), BOTH)


def _at_once(rng: Generator, config: SynthesisConfig, later: list[int]) -> list[Interval]:
    """Draw when each event is known; every later one overlaps the first."""
    spans: list[Interval] = []
    for late in later:
        length = late + int(rng.integers(MIN_EVENT_SECONDS, config.seconds - late - 1))
        least, most = 0, config.seconds - length
        if spans:
            start, end = spans[0]
            least, most = max(least, start - length + 1), min(most, end - 1)
        begin = int(rng.integers(least, most + 1))
        spans.append((begin, begin + length))
    return spans


def _in_turn(rng: Generator, config: SynthesisConfig, later: list[int]) -> list[Interval]:
    """Draw when each event is known; none overlaps another, in any order."""
    spans: list[Interval] = [NEVER] * len(later)
    order = [int(k) for k in rng.permutation(len(later))]
    needs = [MIN_EVENT_SECONDS + later[k] for k in order]
    shares = rng.multinomial(config.seconds - sum(needs), np.full(len(needs), 1 / len(needs)))
    rooms = [need + int(share) for need, share in zip(needs, shares, strict=True)]
    edges = pairwise(accumulate(rooms, initial=0))
    for k, need, (left, right) in zip(order, needs, edges, strict=True):
        length = int(rng.integers(need, right - left + 1))
        begin = int(rng.integers(left, right - length + 1))
        spans[k] = (begin, begin + length)
    return spans


def _source(
    rng: Generator,
    config: SynthesisConfig,
    class_index: int,
    kind: str,
    span: Interval,
    late: int,
    others: list[ObjectPlan],
) -> Source:
    start, end = span
    seen = NEVER if kind == HEARD_ONLY else (start, end - late)
    heard = NEVER if kind == SEEN_ONLY else (start + late, end)
    visible = [item for item in others if item.seen != NEVER]
    if visible and seen != NEVER:
        shown = squeeze_beside(rng, config, class_index, seen, visible)
    else:
        shown = place_first(rng, config, class_index, seen)
    decibels = config.offscreen_gain if kind == HEARD_ONLY else 0.0
    return Source(shown, draw_sound(rng, class_index, heard, decibels), kind)
