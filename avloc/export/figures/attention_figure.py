"""The paper's figure 5: where two or more models look, over the same frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from avloc.errors import UsageError
from avloc.export.figures.figure_file import plain_style
from avloc.export.figures.figure_page import draw_page, model_names
from avloc.export.figures.figure_rows import GREEN, Box, Row, draw_pictures
from avloc.export.heat_style import DEFAULT_STYLE, HeatStyle
from avloc.export.pictures import Frame, evenly, has_event
from avloc.timeline import Timeline

_MAX_COLUMNS = 6


def attention_segments(timelines: Sequence[Timeline]) -> list[int]:
    """Return at most six segments, evenly spread over those with an event if there are any."""
    is_event = np.any([has_event(timeline) for timeline in timelines], axis=0)
    of_events = np.flatnonzero(is_event).tolist() or list(range(len(is_event)))
    return [of_events[n] for n in evenly(len(of_events), _MAX_COLUMNS)]


@plain_style()
def attention_figure(
    timelines: Sequence[Timeline],
    frames: Mapping[int, Frame],
    *,
    boxes: Sequence[Sequence[Box]] | None = None,
    names: Sequence[str] | None = None,
    style: HeatStyle = DEFAULT_STYLE,
) -> Figure:
    """Draw the attention of models over frames (h, w, 3) of one video, all on one scale.

    The first row has the frames, each further row one model's maps over them. A model without
    attention has no row. ``boxes`` are the true positions of what sounds, a list per segment.
    """
    names, first = model_names(timelines, names), timelines[0]
    pictures = partial(draw_pictures, frames=frames, style=style)
    maps = [
        Row(name, None, partial(pictures, maps=model.attention), is_bold=True)
        for name, model in zip(names, timelines, strict=True)
        if model.attention is not None
    ]
    if not maps:
        raise UsageError(
            "none of these models has attention to show", "Use a model with it: cman or avel."
        )
    if not frames:
        raise UsageError(f"{first.video_id} has no picture to show attention on")
    return draw_page(
        first,
        sorted(frames),
        [Row("frame", None, partial(pictures, maps=None, boxes=boxes)), *maps],
        n_across=_MAX_COLUMNS,
        legend={} if boxes is None else {"true position": GREEN},
        frames=frames,
        style=style,
    )
