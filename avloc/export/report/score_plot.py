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
from avloc.timeline import Event, FloatArray, Timeline

N_LINES = 6
_MOST_STEPS = 3600  # an hour in seconds: enough for a time line that is zoomed
_WORTH_A_LINE = 0.1  # a class that never reaches this and has no event is left out


@dataclass(frozen=True)
class ScoreLine:
    """One class's score over time.

    Attributes:
        name: the class.
        colour: ``#rrggbb``, that of its events; empty for "no event".
        steps: ``V..H..``, a path's level and end of each step in a box of 1000 by 100.
        values: each segment's score in hundredths, with commas between.
        most: the highest score, and
        at: the segment's middle, in seconds, where it is reached.
    """

    name: str
    colour: str
    steps: str
    values: str
    most: float
    at: float


@dataclass(frozen=True)
class GateArea:
    """One gate over time: its ``word``, a path in a box of 1000 by 100, and hundredths."""

    word: str
    path: str
    values: str


def score_lines(
    timeline: Timeline, axis: Axis, truth: Sequence[Event] | None = None
) -> tuple[ScoreLine, ...]:
    """Return "no event", then the classes with events, then the highest others, six in all.

    Long videos are thinned out to 3,600 steps by the highest score in each stretch, so no peak
    is lost.
    """
    labels, scores = timeline.labels, np.nan_to_num(timeline.scores)
    chosen = _chosen(timeline, truth or ())
    lines = [_line(NO_EVENT, "", scores[:, labels.background_index], timeline, axis)]
    for name in chosen:
        colour = as_hex(label_colour(name, labels))
        lines.append(_line(name, colour, scores[:, labels.index(name)], timeline, axis))
    return tuple(lines)


def gate_areas(timeline: Timeline, axis: Axis) -> tuple[GateArea, ...]:
    """Return the gates a timeline has, by segment; long videos by the mean of stretches."""
    gates = (("hear", timeline.gate_audio), ("see", timeline.gate_visual))
    return tuple(_area(word, gate, timeline, axis) for word, gate in gates if gate is not None)


def hundredths(values: Iterable[float]) -> str:
    """Return shares of one as whole hundredths with commas between; no number is 0."""
    shares = np.clip(np.nan_to_num(np.asarray(list(values), dtype=float)), 0, 1)
    return ",".join(map(str, np.rint(100 * shares).astype(int).tolist()))


def _chosen(timeline: Timeline, truth: Sequence[Event]) -> list[str]:
    """Return at most six labels: found by length, then true ones, then those that rise most."""
    found = Counter[str]()
    for event in timeline.events:
        found[event.label] += max(1, round(1000 * (event.end - event.start)))
    highest = np.nan_to_num(timeline.scores).max(axis=0)
    names = timeline.labels.names
    rising = [names[k] for k in np.argsort(-highest[:-1]) if highest[k] >= _WORTH_A_LINE]
    wanted = [name for name, _ in found.most_common()] + [e.label for e in truth] + rising
    return [name for name in dict.fromkeys(wanted) if name in names][:N_LINES]


def _line(name: str, colour: str, scores: FloatArray, timeline: Timeline, axis: Axis) -> ScoreLine:
    starts = _stretches(len(scores))
    steps = _steps(np.maximum.reduceat(scores, starts), _ends(starts, timeline), axis)
    best = int(scores.argmax())
    at = float(timeline.grid.segment_seconds) * (best + 0.5)
    return ScoreLine(name, colour, steps, hundredths(scores), float(scores[best]), at)


def _area(word: str, gate: FloatArray, timeline: Timeline, axis: Axis) -> GateArea:
    known = np.clip(np.nan_to_num(gate), 0, 1)
    starts = _stretches(len(known))
    lengths = np.diff([*starts, len(known)])
    heights = np.add.reduceat(known, starts) / lengths
    steps = _steps(heights, _ends(starts, timeline), axis)
    return GateArea(word, f"M0,100{steps}V100Z", hundredths(known))


def _steps(heights: NDArray[Any], ends: Sequence[float], axis: Axis) -> str:
    """Return the steps of a path, one for each run of one height."""
    levels = [f"{100 - 100 * min(max(float(y), 0.0), 1.0):.3g}" for y in heights]
    places = [f"{10 * axis.percent(x):.5g}" for x in ends]
    runs = groupby(zip(levels, places, strict=True), key=itemgetter(0))
    return "".join(f"V{level}H{list(run)[-1][1]}" for level, run in runs)


def _stretches(n_segments: int) -> NDArray[Any]:
    """Return the first segment of each stretch that is drawn as one step."""
    return np.arange(0, n_segments, -(-n_segments // _MOST_STEPS))


def _ends(starts: NDArray[Any], timeline: Timeline) -> list[float]:
    """Return the seconds at which stretches end."""
    step = float(timeline.grid.segment_seconds)
    return [step * int(k) for k in (*starts[1:], timeline.grid.n_segments)]
