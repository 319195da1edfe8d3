"""Scores and gates along a page's time line, as the paths of an SVG drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.colours import as_hex, label_colour
from avloc.export.axis import Axis
from avloc.export.playback import NO_EVENT
from avloc.timeline import Event, Timeline

N_LINES = 6
_MOST_STEPS = 3600  # an hour in seconds: enough for a time line that is zoomed
_WORTH_A_LINE = 0.1  # a class that never reaches this and has no event is left out


@dataclass(frozen=True)
class ScoreLine:
    """One class's score over time."""

    name: str
    colour: str  # #rrggbb; empty for "no event"
    steps: str  # V..H.., levels and ends in a box of 1000 by 100
    values: str  # of each segment, hundredths, commas between
    most: float
    at: float  # seconds, the middle of the highest segment


@dataclass(frozen=True)
class GateArea:
    """One gate over time: its ``word``, a path in a box of 1000 by 100, and hundredths."""

    word: str
    path: str
    values: str


def score_lines(
    timeline: Timeline, axis: Axis, truth: Sequence[Event] | None = None
) -> tuple[ScoreLine, ...]:
    """Return "no event", the classes with events, and the highest others, six in all.

    In a long video a step is the highest score in a stretch, so that no peak is lost.
    """
    labels, scores = timeline.labels, np.nan_to_num(timeline.scores)
    starts, lines = _stretches(timeline), []
    for label in (labels.background, *_chosen(timeline, truth or ())):
        is_background = label == labels.background
        values = scores[:, labels.index(label)]
        best = int(values.argmax())
        lines.append(
            ScoreLine(
                NO_EVENT if is_background else label,
                "" if is_background else as_hex(label_colour(label, labels)),
                _steps(np.maximum.reduceat(values, starts), starts, timeline, axis),
                hundredths(values),
                float(values[best]),
                float(timeline.grid.segment_seconds) * (best + 0.5),
            )
        )
    return tuple(lines)


def gate_areas(timeline: Timeline, axis: Axis) -> tuple[GateArea, ...]:
    """Return the gates of a timeline; in a long video a step is the mean of a stretch."""
    starts, areas = _stretches(timeline), []
    lengths = np.diff([*starts, timeline.grid.n_segments])
    for word, gate in (("hear", timeline.gate_audio), ("see", timeline.gate_visual)):
        if gate is not None:
            values = np.clip(np.nan_to_num(gate), 0, 1)
            steps = _steps(np.add.reduceat(values, starts) / lengths, starts, timeline, axis)
            areas.append(GateArea(word, f"M0,100{steps}V100Z", hundredths(values)))
    return tuple(areas)


def hundredths(values: Iterable[float]) -> str:
    """Return values from 0 to 1 as whole hundredths with commas between; NaN is 0."""
    shares = np.clip(np.nan_to_num(np.asarray(list(values), dtype=float)), 0, 1)
    return ",".join(map(str, np.rint(100 * shares).astype(int).tolist()))


def _chosen(timeline: Timeline, truth: Sequence[Event]) -> list[str]:
    """Return at most six labels: found by length, then true ones, then those that rise most."""
    lengths = Counter[str]()
    for event in timeline.events:
        lengths[event.label] += max(1, round(1000 * (event.end - event.start)))
    highest = np.nan_to_num(timeline.scores).max(axis=0)
    names = timeline.labels.names
    rising = [names[k] for k in np.argsort(-highest[:-1]) if highest[k] >= _WORTH_A_LINE]
    wanted = [name for name, _ in lengths.most_common()] + [e.label for e in truth] + rising
    return [name for name in dict.fromkeys(wanted) if name in names][:N_LINES]


def _stretches(timeline: Timeline) -> NDArray[Any]:
    """Return the first segment of each stretch that is drawn as one step."""
    n_segments = timeline.grid.n_segments
    return np.arange(0, n_segments, -(-n_segments // _MOST_STEPS))


def _steps(heights: NDArray[Any], starts: NDArray[Any], timeline: Timeline, axis: Axis) -> str:
    """Return the steps of a path, one for each run of equal heights."""
    seconds = float(timeline.grid.segment_seconds)
    ends = [seconds * int(k) for k in (*starts[1:], timeline.grid.n_segments)]
    levels = [f"{100 - 100 * min(max(float(height), 0.0), 1.0):.3g}" for height in heights]
    positions = [f"{10 * axis.percent(end):.5g}" for end in ends]
    runs = groupby(zip(levels, positions, strict=True), key=itemgetter(0))
    return "".join(f"V{level}H{list(run)[-1][1]}" for level, run in runs)
