"""The paper's figure 6: the events of a video, second by second, by one or more models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

from matplotlib.figure import Figure

from avloc.colours import GATE, SENSE_COLOURS, Colour, as_hex, label_colour
from avloc.export.figures.figure_file import plain_style
from avloc.export.figures.figure_page import TRUTH, draw_page, model_names, shortened
from avloc.export.figures.figure_rows import (
    PAPER,
    Row,
    draw_bars,
    draw_events,
    draw_pictures,
    draw_sound,
    draw_ticks,
)
from avloc.export.heat_style import DEFAULT_STYLE, HeatStyle
from avloc.export.lanes import assign_lanes
from avloc.export.pictures import Frame, evenly, maps_of_events, presence_of_segments
from avloc.export.sense_letters import LETTERS, WORDS, known_senses, sense_shares, shown_labels
from avloc.labels import LabelSet
from avloc.timeline import Event, FloatArray, Timeline

_MAX_COLUMNS, _MAX_ACROSS = 48, 12
_MAX_LABELS = 30  # of a legend: as many as have a colour of their own


def events_segments(timeline: Timeline) -> list[int]:
    """Return the segments that the figure shows: all, or 48 evenly spread."""
    return evenly(timeline.grid.n_segments, _MAX_COLUMNS)


@plain_style()
def events_figure(
    timelines: Sequence[Timeline],
    frames: Mapping[int, Frame],
    *,
    names: Sequence[str] | None = None,
    truth: Sequence[Event] | None = None,
    waveform: FloatArray | None = None,
    style: HeatStyle = DEFAULT_STYLE,
) -> Figure:
    """Draw the events that one or more models found in a video, one column per segment.

    Rows: the sound ``waveform`` (T, n), the ``frames`` (h, w, 3), these under each model's heat
    map, the true events, and each model's events. Below a model's events are the scores of the
    shown label by sound and by picture alone, where the model can tell, and the sentinel gates.
    Of a long video the figure shows `events_segments`, and a strip above them shows all events.
    """
    names, first = model_names(timelines, names), timelines[0]
    models = list(zip(names, timelines, strict=True))
    labels = first.labels  # for every model: a label has one colour in a figure
    rows: list[Row] = []
    if waveform is not None:
        rows.append(Row("sound", 0.24, partial(draw_sound, loudness=waveform)))
    pictures = partial(draw_pictures, frames=frames, style=style)
    maps = [
        Row(
            name,
            None,
            partial(pictures, maps=maps_of_events(model), presence=presence_of_segments(model)),
            is_bold=True,
        )
        for name, model in models
        if frames and model.attention is not None
    ]
    if frames:
        rows += _apart([Row("frame", None, partial(pictures, maps=None)), *maps])
    tracks = [] if truth is None else [_track(TRUTH, truth, labels)]
    rows += tracks
    for name, model in models:
        tracks.append(_track(name, model.events, labels))
        rows += _apart([tracks[-1], *_bars(model)])
    events = [*(truth or ()), *chain(*timelines)]
    segments = events_segments(first)
    is_whole = len(segments) == first.grid.n_segments
    whole = Row("whole video", 0.15, draw_ticks, after=0.13)
    return draw_page(
        first,
        segments,
        rows,
        n_across=_MAX_ACROSS,
        legend=_legend(events, labels) | _sense_legend(events),
        frames=frames,
        overview=() if is_whole else (*tracks, whole),
        style=style if maps else None,
        note="fainter: less sure",
    )


def _track(name: str, events: Sequence[Event], labels: LabelSet) -> Row:
    lanes = assign_lanes(events)
    draw = partial(draw_events, events=events, labels=labels, lanes=lanes)
    if lanes.n_hidden:
        name = f"{name} (+{lanes.n_hidden})"
    return Row(name, 0.15 * lanes.n_lanes, draw, is_bold=True)


def _bars(model: Timeline) -> list[Row]:
    """Return what each sense alone says of the shown label, then the sentinel gates."""
    classes = shown_labels(model)
    said = [(s.sense, s.of_labels(classes), s.colour) for s in sense_shares(model)]
    gates = (("gate audio", model.gate_audio), ("gate visual", model.gate_visual))
    said += [(name, gate, GATE) for name, gate in gates if gate is not None]
    return [_bar(*values) for values in said]


def _bar(name: str, shares: FloatArray, colour: Colour) -> Row:
    return Row(name, 0.105, partial(draw_bars, shares=shares, colour=colour), after=0.01)


def _apart(rows: Sequence[Row]) -> list[Row]:
    """Leave more space below the last of these rows."""
    return [*rows[:-1], replace(rows[-1], after=0.045)]


def _legend(events: Sequence[Event], labels: LabelSet) -> dict[str, str]:
    """Return the labels that occur with their colours, the longest-lasting first."""
    seconds = Counter[str]()
    for event in events:
        seconds[event.label] += round(1000 * max(event.end - event.start, 0))
    legend = {
        shortened(label, 36): as_hex(label_colour(label, labels))
        for label, _ in seconds.most_common(_MAX_LABELS)
    }
    n_more = len(seconds) - _MAX_LABELS
    return legend | ({f"and {n_more} more": PAPER} if n_more > 0 else {})


def _sense_legend(events: Sequence[Event]) -> dict[str, str]:
    """Return the letters of senses with their colours, if any sense is known."""
    senses = known_senses(events)
    if set(senses) <= {"unknown"}:
        return {}
    return {f"{LETTERS[s]}: {WORDS[s]}": as_hex(SENSE_COLOURS[s]) for s in senses}
