"""One frame in, one annotated frame out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from avloc.export.heat_style import HeatStyle
from avloc.export.heatmap.panel import GROUND, Panel
from avloc.export.heatmap.playback import at_moment, presence_at
from avloc.export.pictures import Frame, heatmap_thumbnail
from avloc.timeline import Event, Timeline

_LEAST_WIDTH = 320  # the strip's words need as much
_GREATEST_HEIGHT = 1080  # of a picture that is scaled up


class Painter:
    """Lays heat map and strip onto a video's frames, all of one size.

    Args:
        timeline: what was found.
        frame_size: the frames' (width, height) in pixels.
        heat: how the map looks.
        ground_truth: true events for a second track.
    """

    def __init__(
        self,
        timeline: Timeline,
        frame_size: tuple[int, int],
        heat: HeatStyle,
        ground_truth: Sequence[Event] | None = None,
    ) -> None:
        width, height = frame_size
        self._timeline, self._heat = timeline, heat
        factor = _enlargement(width, height)
        self._shown = width * factor, height * factor
        self._width = max(_LEAST_WIDTH, self._shown[0] + self._shown[0] % 2)
        self._panel = Panel(timeline, self._width, self._shown[1], ground_truth)

    @property
    def size(self) -> tuple[int, int]:
        """The painted frames' (width, height), both even."""
        return self._width, self._shown[1] + self._panel.height

    def paint(self, frame: Frame, seconds: float) -> Frame:
        """Return a new frame with the map laid over and the strip below.

        Args:
            frame: (h, w, 3) RGB.
            seconds: its time from the video's origin.
        """
        width, height = self._shown
        left = (self._width - width) // 2
        canvas = np.empty((self.size[1], self._width, 3), np.uint8)
        if self._width > width:
            canvas[:height] = GROUND
        canvas[:height, left : left + width] = self._picture(frame, seconds)
        if self._width == width + 1:
            canvas[:height, -1] = canvas[:height, -2]  # an odd width's last column, twice
        canvas[height:] = np.asarray(self._panel.draw(seconds))
        return canvas

    def _picture(self, frame: Frame, seconds: float) -> Frame:
        if frame.shape[1::-1] != self._shown:  # too small, or a size that changed on the way
            picture = Image.fromarray(frame).resize(self._shown, Image.Resampling.BICUBIC)
            frame = np.asarray(picture)
        maps, heat = self._timeline.attention, self._heat
        presence = max(presence_at(self._timeline.events, seconds), heat.background)
        if maps is None or presence <= 0:
            return frame
        now = at_moment(maps, self._timeline.grid, seconds)
        return np.asarray(
            heatmap_thumbnail(frame, now, style=heat.style, alpha=heat.alpha, presence=presence)
        )


def _enlargement(width: int, height: int) -> int:
    """Return the whole factor that makes a picture wide enough, if it stays low enough."""
    return max(1, min(-(-_LEAST_WIDTH // width), _GREATEST_HEIGHT // height))
