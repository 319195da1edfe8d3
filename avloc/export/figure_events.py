"""The paper's figure 6: what was found in a video, second by second, by one or more models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from avloc.colours import Colour
from avloc.errors import UsageError
from avloc.export.figure_columns import check_most_columns, evenly, lay_bands
from avloc.export.figure_files import figure_suffix, plain_style, write_figure
from avloc.export.figure_frames import check_frames, draw_scale, natural_height
from avloc.export.figure_names import GREEN, TRUTH, Voice, voices
from avloc.export.figure_page import draw_page
from avloc.export.figure_rows import Row, gate_row, picture_row, sound_row, time_row, track_row
from avloc.export.pictures import ALPHA, STYLE, Frame, check_style, maps_of_events
from avloc.timeline import Event, FloatArray, Timeline

MOST_COLUMNS = 48
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
    style: str = STYLE,
    alpha: float = ALPHA,
    most_columns: int = MOST_COLUMNS,
) -> Path:
    """Draw what one or more models found in a video, one column a segment.

    Rows, as far as they are known: the sound, the frames, the frames under each model's heat
    map, the true events, and for each model its events and the gates of both senses. At most
    twelve columns stand side by side, the next ones below. Of a longer video than
    ``most_columns`` segments as many are shown, evenly spread, and the figure says so; an
    event's block then covers the shown seconds it lasts.

    Args:
        timelines: of one video, one a model.
        frames: one (h, w, 3) RGB frame a segment, best its middle; None where there is none.
        target: the file; its suffix .png, .pdf or .svg chooses the kind.
        names: of the models, instead of each timeline's own; equal names are numbered.
        truth: the true events; None where they are not known.
        waveform: (T, n) loudness, n moments a segment.
        everywhere: show the map also where no event was found.
        style: a matplotlib colour map.
        alpha: opacity where a map is strongest.
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
        alpha=alpha,
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
    style: str = STYLE,
    alpha: float = ALPHA,
    most_columns: int = MOST_COLUMNS,
) -> Figure:
    """Return the figure that `draw_events_figure` writes, with the same arguments."""
    models = voices(timelines, names)
    grid = timelines[0].grid
    check_style(style, alpha)
    check_most_columns(most_columns)
    check_frames(frames, grid.n_segments)
    _check_waveform(waveform, grid.n_segments)
    rows = [time_row(grid)]
    rows += [] if waveform is None else [sound_row(np.asarray(waveform))]
    rows += _picture_rows(models, frames, everywhere, style, alpha)
    rows += [] if truth is None else [track_row(tuple(truth), TRUTH, GREEN, "truth")]
    rows += [row for n, model in enumerate(models) for row in _model_rows(model, n)]
    legend: list[tuple[str, Colour]] = [] if truth is None else [(TRUTH, GREEN)]
    legend += [(model.name, model.colour) for model in models]
    shown = evenly(grid.n_segments, most_columns)
    with plain_style():
        page = draw_page(
            timelines[0].video_id,
            legend,
            rows,
            lambda left, right: lay_bands(grid, shown, left, right),
            lambda width: natural_height(frames, width),
        )
        if len(shown) < grid.n_segments:
            page.note(f"{len(shown)} of {grid.n_segments} segments, evenly spread")
        if any(row.height is None and row.is_bold for row in rows):
            draw_scale(page.sheet, page.right, page.foot, style, alpha)
    return page.sheet.figure


def _check_waveform(waveform: FloatArray | None, n_segments: int) -> None:
    if waveform is None:
        return
    shape = np.shape(waveform)
    if len(shape) != 2 or shape[0] != n_segments or shape[1] < 1:
        raise UsageError(f"a loudness of shape {shape} does not fit {n_segments} segments")


def _picture_rows(
    models: Sequence[Voice],
    frames: Sequence[Frame | None],
    everywhere: bool,
    style: str,
    alpha: float,
) -> list[Row]:
    if all(frame is None for frame in frames):
        return []
    rows = [picture_row(frames, [None] * len(frames), "frame", style=style, alpha=alpha)]
    for n, model in enumerate(models):
        attention = model.timeline.attention
        if attention is None:
            continue
        maps = list(attention) if everywhere else maps_of_events(model.timeline)
        colour, role = model.colour, f"heat {n}"
        rows.append(
            picture_row(
                frames, maps, model.name, style=style, alpha=alpha, colour=colour, role=role
            )
        )
    return [*rows[:-1], replace(rows[-1], after=_APART)]


def _model_rows(model: Voice, n: int) -> list[Row]:
    timeline = model.timeline
    rows = [track_row(timeline.events, model.name, model.colour, f"found {n}")]
    if timeline.gate_audio is not None:
        rows.append(gate_row(timeline.gate_audio, "hear", "hear"))
    if timeline.gate_visual is not None:
        rows.append(gate_row(timeline.gate_visual, "see", "see"))
    return [*rows[:-1], replace(rows[-1], after=_APART)]
