"""The paper's figure 6: what was found in a video, second by second, by one or more models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from avloc.colours import label_colour
from avloc.errors import UsageError
from avloc.export.figures.columns import check_most_columns, evenly, lay_bands
from avloc.export.figures.figure_file import figure_suffix, plain_style, write_figure
from avloc.export.figures.figure_frames import check_frames, draw_scale, natural_height
from avloc.export.figures.figure_names import NAME_ROOM, TRUTH, Voice, voices
from avloc.export.figures.figure_page import Legend, Overview, draw_page
from avloc.export.figures.figure_rows import (
    Row,
    gate_row,
    picture_row,
    sound_row,
    tick_row,
    time_row,
    track_row,
)
from avloc.export.figures.figure_sheet import PAPER, cut_to
from avloc.export.heat_style import DEFAULT_STYLE, HeatStyle
from avloc.export.links import shown_names
from avloc.export.pictures import Frame, maps_of_events
from avloc.labels import LabelSet
from avloc.timeline import Event, FloatArray, Grid, Timeline

MOST_COLUMNS = 48
_MOST_LABELS = 30  # of a legend: as many as have a colour of their own
_APART = 14  # between what belongs to one model and to the next


def draw_events_figure(
    timelines: Sequence[Timeline],
    frames: Sequence[Frame | None],
    target: Path | str,
    *,
    names: Sequence[str] | None = None,
    truth: Sequence[Event] | None = None,
    waveform: FloatArray | None = None,
    everywhere: bool = False,
    style: HeatStyle = DEFAULT_STYLE,
    most_columns: int = MOST_COLUMNS,
) -> Path:
    """Draw what one or more models found in a video, one column a segment.

    Rows, as far as they are known: the sound, the frames, the frames under each model's heat
    map, the true events, and for each model its events and the gates of both senses. At most
    twelve columns stand side by side, the next ones below. Of a longer video than
    ``most_columns`` segments as many are shown, evenly spread, and the figure says so; an
    event's block then covers the shown seconds it lasts, and a strip over the columns has all
    events of the whole video. A label has one colour, which every model shares.

    Args:
        timelines: of one video, one a model.
        frames: one (h, w, 3) RGB frame a segment, best its middle; None where there is none.
        target: the file; its suffix .png, .pdf or .svg chooses the kind.
        names: of the models, instead of each timeline's own; equal names are numbered.
        truth: the true events; None where they are not known.
        waveform: (T, n) loudness, n moments a segment.
        everywhere: show the map also where no event was found.
        style: how the maps look.
        most_columns: segments shown, at most; up to 240.

    Returns:
        ``target``.

    Raises:
        UnknownNameError: another suffix, or no such style.
        UsageError: the timelines, frames or names do not fit each other, or there are too
            many models and columns for one page.
        OutputError: the target cannot be written.
    """
    figure_suffix(target)
    figure = events_figure(
        timelines,
        frames,
        names=names,
        truth=truth,
        waveform=waveform,
        everywhere=everywhere,
        style=style,
        most_columns=most_columns,
    )
    return write_figure(figure, target)


def events_figure(
    timelines: Sequence[Timeline],
    frames: Sequence[Frame | None],
    *,
    names: Sequence[str] | None = None,
    truth: Sequence[Event] | None = None,
    waveform: FloatArray | None = None,
    everywhere: bool = False,
    style: HeatStyle = DEFAULT_STYLE,
    most_columns: int = MOST_COLUMNS,
) -> Figure:
    """Return the figure that `draw_events_figure` writes, with the same arguments."""
    models = voices(timelines, names)
    grid = timelines[0].grid
    check_most_columns(most_columns)
    check_frames(frames, grid.n_segments)
    _check_waveform(waveform, grid.n_segments)
    rows = [time_row(grid)]
    rows += [] if waveform is None else [sound_row(np.asarray(waveform))]
    rows += _picture_rows(models, frames, everywhere, style)
    labels = timelines[0].labels  # of every model: a label has one colour in a figure
    rows += [] if truth is None else [track_row(tuple(truth), labels, TRUTH, "truth")]
    rows += [row for n, model in enumerate(models) for row in _model_rows(model, labels, n)]
    shown = evenly(grid.n_segments, most_columns)
    is_whole = len(shown) == grid.n_segments
    with plain_style():
        page = draw_page(
            shown_names([timelines[0].video_id])[0],
            _legend([*(truth or ()), *(event for model in timelines for event in model)], labels),
            rows,
            lambda left, right: lay_bands(grid, shown, left, right),
            lambda width: natural_height(frames, width),
            None if is_whole else _overview(models, truth, labels),
        )
        if not is_whole:
            page.note(f"{len(shown)} of {grid.n_segments} segments, evenly spread")
        if any(row.height is None and row.is_bold for row in rows):
            draw_scale(page.sheet, page.right, page.foot, style)
    return page.sheet.figure


def _check_waveform(waveform: FloatArray | None, n_segments: int) -> None:
    if waveform is None:
        return
    shape = np.shape(waveform)
    if len(shape) != 2 or shape[0] != n_segments or shape[1] < 1:
        raise UsageError(f"a loudness of shape {shape} does not fit {n_segments} segments")


def _overview(models: Sequence[Voice], truth: Sequence[Event] | None, labels: LabelSet) -> Overview:
    """Return all events of a video in one strip, a lane for the truth and for each model."""
    grid = models[0].timeline.grid
    whole = Grid(1, grid.n_segments * grid.segment_seconds)
    rows = [] if truth is None else [track_row(tuple(truth), labels, TRUTH, "all truth")]
    rows += [
        track_row(model.timeline.events, labels, model.name, f"all found {n}")
        for n, model in enumerate(models)
    ]
    return Overview(whole, [*rows, tick_row(float(whole.segment_seconds))])


def _legend(events: Sequence[Event], labels: LabelSet) -> Legend:
    """Return the labels that occur with their colours, the longest-lasting first."""
    seconds = Counter[str]()
    for event in events:
        seconds[event.label] += round(1000 * max(event.end - event.start, 0))
    most = [label for label, _ in seconds.most_common()]
    legend = [
        (cut_to(label, NAME_ROOM), label_colour(label, labels)) for label in most[:_MOST_LABELS]
    ]
    n_more = len(most) - len(legend)
    return [*legend, (f"and {n_more} more", PAPER)] if n_more else legend


def _picture_rows(
    models: Sequence[Voice],
    frames: Sequence[Frame | None],
    everywhere: bool,
    style: HeatStyle,
) -> list[Row]:
    if all(frame is None for frame in frames):
        return []
    rows = [picture_row(frames, [None] * len(frames), "frame", style=style)]
    for n, model in enumerate(models):
        attention = model.timeline.attention
        if attention is None:
            continue
        maps = list(attention) if everywhere else maps_of_events(model.timeline)
        role = f"heat {n}"
        rows.append(picture_row(frames, maps, model.name, style=style, is_bold=True, role=role))
    return [*rows[:-1], replace(rows[-1], after=_APART)]


def _model_rows(model: Voice, labels: LabelSet, n: int) -> list[Row]:
    timeline = model.timeline
    rows = [track_row(timeline.events, labels, model.name, f"found {n}")]
    if timeline.gate_audio is not None:
        rows.append(gate_row(timeline.gate_audio, "hear", "hear"))
    if timeline.gate_visual is not None:
        rows.append(gate_row(timeline.gate_visual, "see", "see"))
    return [*rows[:-1], replace(rows[-1], after=_APART)]
