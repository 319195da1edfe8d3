"""A timeline as a video: the heat map over the picture, the sound kept, a strip below."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from avloc.artifacts import atomic_path
from avloc.errors import UsageError
from avloc.export.heat_style import ALPHA, STYLE, HeatStyle
from avloc.export.heatmap.painter import Painter
from avloc.export.heatmap.playback import total_seconds
from avloc.media import probe, render_video
from avloc.progress import Progress
from avloc.timeline import Event, Timeline


def render_heatmap(
    timeline: Timeline,
    video: Path,
    target: Path,
    *,
    style: str = STYLE,
    alpha: float = ALPHA,
    background: float = 0.0,
    ground_truth: Sequence[Event] | None = None,
    comment: str = "avloc heat map",
    progress: Progress | None = None,
) -> Path:
    """Render a video with its heat map, its sound, and a strip of what was found.

    Between segment middles the map moves smoothly. Where no event was found the strip says
    so and the map is faded out: a map of nothing would be taken for something. A timeline
    without attention or gates has the strip alone. Small pictures are scaled up by a whole
    factor until the strip can be read; the result's width and height are even.

    Args:
        timeline: what was found in ``video``.
        video: the source.
        target: the file to write; its suffix chooses the container.
        style: a matplotlib colour map.
        alpha: the map's opacity in [0, 1] where it is strongest.
        background: what share of that opacity it keeps where no event was found.
        ground_truth: true events, drawn as a second track.
        comment: kept in the file, for `avloc.media.comment_of`; one that begins with "avloc "
            marks the file as avloc's, which a later run leaves out of a folder's videos.
        progress: called with (seconds done, seconds in all, the video's name).

    Returns:
        ``target``.

    Raises:
        UsageError: the source has no picture, or ``alpha`` is no opacity.
        UnknownNameError: there is no such style.
        MediaError: the source cannot be decoded.
        OutputError: the target cannot be written.
    """
    heat = HeatStyle(style, alpha, background)
    video, target = Path(video), Path(target)
    size = probe(video).shown_size
    if size is None:
        raise UsageError(
            f"{video} has no picture to lay a heat map over",
            "Save its events instead, or make a report.",
        )
    painter = Painter(timeline, size, heat, ground_truth)
    with atomic_path(target) as temporary:
        told = _in_seconds(timeline, progress)
        render_video(video, temporary, painter.paint, comment=comment, progress=told)
    return target


def _in_seconds(timeline: Timeline, progress: Progress | None) -> Callable[[float], None] | None:
    if progress is None:
        return None
    n_seconds = max(1, math.ceil(total_seconds(timeline)))
    return lambda seconds: progress(
        min(math.ceil(seconds), n_seconds), n_seconds, timeline.video_id
    )
