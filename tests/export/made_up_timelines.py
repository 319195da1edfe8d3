"""Timelines for the tests of export: one plain, and any that hypothesis can think of."""

from dataclasses import replace
from fractions import Fraction
from itertools import cycle

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from avloc.events import events_from_scores
from avloc.labels import LabelSet
from avloc.timeline import SENSES, Grid, Timeline

# A slow example on a busy machine is not a failure; pytest has its own limit.
unhurried = settings(deadline=None)

NASTY = (
    'say "when", then',
    "two\nlines\r\n\r\nand a --> b",
    "<script>alert('x')</script> & <b>bold</b>",
    "tab\tand ' and ; and \\",
    "–=+@ ünïcödé 猫 \u2028 \u202e",
)


def timeline_of(
    winners,
    names=("Bell", "Dog"),
    *,
    segment_seconds=Fraction(1),
    maps=None,
    gates=None,
    duration=None,
    senses=("unknown",),
    **fields,
):
    """Make a timeline whose segment t is won by class ``winners[t]``; the senses take turns."""
    labels = LabelSet(tuple(names))
    winners = np.asarray(winners)
    scores = np.full((len(winners), labels.n_classes), 0.1 / labels.n_classes, np.float32)
    scores[np.arange(len(winners)), winners] += 0.9
    scores = scores[:, :-1]  # background is what is missing to 1
    grid = Grid(len(winners), segment_seconds)
    gate = None if gates is None else np.asarray(gates, np.float32)
    events = events_from_scores(scores, grid, labels)
    return Timeline(
        fields.pop("video_id", "clip"),
        labels,
        grid,
        scores,
        tuple(map(with_sense, events, cycle(senses))),
        attention=None if maps is None else np.asarray(maps, np.float32),
        gate_audio=gate,
        gate_visual=None if gate is None else 1 - gate,
        duration=float(len(winners) * segment_seconds) if duration is None else duration,
        **fields,
    )


def with_sense(event, sense):
    """Return an event that a sense knows, with numbers that say so."""
    heard, seen = {"both": (0.9, 0.8), "heard": (0.91, 0.12), "seen": (0.13, 0.92)}.get(
        sense, (None, None)
    )
    return replace(event, sense=sense, heard=heard, seen=seen)


_words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12) | st.sampled_from(NASTY)


@st.composite
def timelines(draw):
    names = draw(st.lists(_words, min_size=1, max_size=5, unique=True))
    names = [name for name in names if name != "background"] or ["one"]
    winners = draw(st.lists(st.integers(0, len(names)), min_size=1, max_size=12))
    step = draw(st.sampled_from([Fraction(1), Fraction(24, 25), Fraction(1, 3), Fraction(3700)]))
    senses = draw(st.lists(st.sampled_from(SENSES), min_size=1, max_size=4))
    named = {"video_id": draw(_words), "source": draw(_words)}
    return timeline_of(winners, names, segment_seconds=step, senses=senses, **named)
