"""A timeline as a video: the heat map over the picture, a strip below, the sound as it was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from avloc.artifacts import atomic_path
from avloc.errors import UsageError
from avloc.export.heat_style import DEFAULT_STYLE, HeatStyle
from avloc.export.heatmap.panel import GROUND, Panel
from avloc.export.pictures import Frame, lay_heat
from avloc.export.playback import at_moment, presence_at, total_seconds
from avloc.media import probe, repaint
from avloc.progress import Progress, silent
from avloc.timeline import Event, Timeline

_MIN_WIDTH = 320  # the strip's text needs it
_MAX_HEIGHT = 1080  # of a picture that is enlarged


def render_heatmap(
    timeline: Timeline,
    video: Path,
    target: Path,
    *,
    style: HeatStyle = DEFAULT_STYLE,
    truth: Sequence[Event] | None = None,
    comment: str = "avloc heat map",
    progress: Progress = silent,
) -> Path:
    """Render a video with its heat map, its sound, and a strip of its events below.

    The map moves smoothly between the middles of segments. It is fainter where the event is less
    sure, and not shown where no event was found. Small pictures are enlarged by a whole factor
    until the strip can be read. True events get a second track. A ``comment`` that begins with
    "avloc " marks the file as avloc's.
    """
    size = probe(video).shown_size
    if size is None:
        raise UsageError(
            f"{video} has no picture to lay a heat map over",
            "Save its events instead, or make a report.",
        )
    painter = Painter(timeline, size, style, truth)
    n_seconds = max(1, math.ceil(total_seconds(timeline)))

    def report(seconds: float) -> None:
        progress(min(math.ceil(seconds), n_seconds), n_seconds, timeline.video_id)

    with atomic_path(target) as temporary:
        repaint(video, temporary, painter.paint, comment=comment, progress=report)
    return target


class Painter:
    """Lays heat map and strip onto a video's frames of (width, height) pixels."""

    def __init__(
        self,
        timeline: Timeline,
        frame_size: tuple[int, int],
        style: HeatStyle = DEFAULT_STYLE,
        truth: Sequence[Event] | None = None,
    ) -> None:
        self._timeline, self._style = timeline, style
        width, height = frame_size
        factor = max(1, min(-(-_MIN_WIDTH // width), _MAX_HEIGHT // height))
        self._shown = width * factor, height * factor
        self._width = max(_MIN_WIDTH, self._shown[0] + self._shown[0] % 2)
        self._panel = Panel(timeline, self._width, truth)

    @property
    def size(self) -> tuple[int, int]:
        """The painted frames' (width, height), both even."""
        height = self._shown[1] + self._panel.height
        return self._width, height + height % 2

    def paint(self, frame: Frame, seconds: float) -> Frame:
        """Return a new RGB frame with the map over ``frame`` (h, w, 3) and the strip below."""
        width, height = self._shown
        left = (self._width - width) // 2
        canvas = np.full((self.size[1], self._width, 3), GROUND, np.uint8)
        canvas[:height, left : left + width] = self._picture(frame, seconds)
        if self._width == width + 1:
            canvas[:height, -1] = canvas[:height, -2]  # an odd width's last column, twice
        canvas[height : height + self._panel.height] = np.asarray(self._panel.draw(seconds))
        return canvas

    def _picture(self, frame: Frame, seconds: float) -> Frame:
        if frame.shape[1::-1] != self._shown:  # too small, or a size that changed in the video
            picture = Image.fromarray(frame).resize(self._shown, Image.Resampling.BICUBIC)
            frame = np.asarray(picture)
        presence = presence_at(self._timeline.events, seconds)
        if self._timeline.attention is None or presence <= 0:
            return frame
        now = at_moment(self._timeline.attention, self._timeline.grid, seconds)
        return np.asarray(lay_heat(frame, now, self._style, presence))
