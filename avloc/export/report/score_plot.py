"""Scores along a page's time line, as the paths of an SVG drawing."""

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
from avloc.export.sense_letters import sense_shares, shown_labels
from avloc.timeline import Event, Timeline

N_LINES = 6
_MOST_STEPS = 3600  # an hour in seconds: enough for a time line that is zoomed
_WORTH_A_LINE = 0.1  # a label that never reaches this and has no event is left out


@dataclass(frozen=True)
class ScoreLine:
    """One label's score over time."""

    name: str
    colour: str  # #rrggbb; empty for "no event"
    steps: str  # V..H.., levels and ends in a box of 1000 by 100
    values: str  # of each segment, hundredths, commas between
    most: float
    at: float  # seconds, the middle of the highest segment


@dataclass(frozen=True)
class SenseArea:
    """What one sense says over time: its ``word``, a path in a box of 1000 by 100, hundredths."""

    word: str
    path: str
    values: str


def score_lines(
    timeline: Timeline, axis: Axis, truth: Sequence[Event] | None = None
) -> tuple[ScoreLine, ...]:
    """Return "no event", the labels with events, and the highest others, six in all.

    Independent labels have no line for "no event". In a long video a step is the highest score
    in a stretch, so that no peak is lost.
    """
    labels, background = timeline.labels, timeline.background()
    curves = [] if background is None else [(NO_EVENT, "", np.nan_to_num(background))]
    for label in _chosen(timeline, truth or ()):
        values = np.nan_to_num(timeline.scores[:, labels.index(label)])
        curves.append((label, as_hex(label_colour(label, labels)), values))
    starts, lines = _stretches(timeline), []
    for name, colour, values in curves:
        best = int(values.argmax())
        lines.append(
            ScoreLine(
                name,
                colour,
                _steps(np.maximum.reduceat(values, starts), starts, timeline, axis),
                hundredths(values),
                float(values[best]),
                float(timeline.grid.segment_seconds) * (best + 0.5),
            )
        )
    return tuple(lines)


def sense_areas(timeline: Timeline, axis: Axis) -> tuple[SenseArea, ...]:
    """Return what each sense alone says of the shown label, as far as it is known.

    In a long video a step is the mean of a stretch.
    """
    starts, classes = _stretches(timeline), shown_labels(timeline)
    lengths, areas = np.diff([*starts, timeline.grid.n_segments]), []
    for share in sense_shares(timeline):
        values = np.nan_to_num(share.of_labels(classes))
        steps = _steps(np.add.reduceat(values, starts) / lengths, starts, timeline, axis)
        areas.append(SenseArea(share.sense, f"M0,100{steps}V100Z", hundredths(values)))
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
    names = timeline.labels.names
    highest = np.nan_to_num(timeline.scores).max(axis=0)
    rising = [names[k] for k in np.argsort(-highest) if highest[k] >= _WORTH_A_LINE]
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
