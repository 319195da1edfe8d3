"""The strip under the picture: what happens now, by which sense, and when all happens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from avloc.colours import Colour, label_colour
from avloc.export.heatmap.layout import Layout
from avloc.export.heatmap.playback import at_moment, event_at, total_seconds
from avloc.export.heatmap.tracks import DIM, TROUGH, draw_ticks, draw_track
from avloc.export.lettering import clock, fitted
from avloc.export.lines import one_line
from avloc.timeline import Event, FloatArray, Timeline

NO_EVENT = "no event"
GROUND: Colour = (22, 24, 29)
PLAYHEAD: Colour = (255, 255, 255)
_HEAR: Colour = (240, 190, 90)
_SEE: Colour = (110, 190, 235)


class Panel:
    """Draws the strip at any moment; what never moves is drawn once.

    Args:
        timeline: what was found.
        width: of the strip, in pixels.
        above: the height of the picture over it: both together have an even height.
        ground_truth: true events for a second track; None for no such track.
    """

    def __init__(
        self,
        timeline: Timeline,
        width: int,
        above: int,
        ground_truth: Sequence[Event] | None = None,
    ) -> None:
        gates = (("hear", timeline.gate_audio, _HEAR), ("see", timeline.gate_visual, _SEE))
        self._gates = [(word, gate, colour) for word, gate, colour in gates if gate is not None]
        self._timeline = timeline
        found = tuple(timeline)
        tracks = [found] if ground_truth is None else [tuple(ground_truth), found]
        total = total_seconds(timeline)
        self.layout = Layout.fit(width, above, len(tracks), bool(self._gates), total)
        self._still = self._draw_still(tracks)

    @property
    def height(self) -> int:
        """The strip's height in pixels."""
        return self.layout.height

    def draw(self, seconds: float) -> Image.Image:
        """Return the strip at a moment, RGB."""
        picture = self._still.copy()
        pen = ImageDraw.Draw(picture)
        self._draw_head(pen, seconds)
        for n, (_, gate, colour) in enumerate(self._gates):
            self._draw_gate(pen, n, self._gate_at(gate, seconds), colour)
        self._draw_playhead(pen, seconds)
        return picture

    def _draw_still(self, tracks: Sequence[Sequence[Event]]) -> Image.Image:
        layout = self.layout
        picture = Image.new("RGB", (layout.width, layout.height), GROUND)
        pen = ImageDraw.Draw(picture)
        for n, (word, _, _) in enumerate(self._gates):
            left, start, end = layout.gate_columns(n, len(self._gates))
            pen.text((left, layout.gates_middle), word, DIM, layout.small, anchor="lm")
            pen.rectangle(self._bar(start, end), TROUGH)
        for n, (events, word) in enumerate(zip(tracks, ("true", "found"), strict=False)):
            draw_track(pen, layout, n, events, self._timeline.labels)
            if len(tracks) > 1:
                middle = layout.track_top(n) + layout.row / 2
                pen.text((layout.pad, middle), word, DIM, layout.small, anchor="lm")
        draw_ticks(pen, layout)
        return picture

    def _draw_head(self, pen: ImageDraw.ImageDraw, seconds: float) -> None:
        layout, middle = self.layout, self.layout.head_middle
        now = f"{clock(seconds, layout.total)} / {clock(layout.total, layout.total)}"
        now += " s" if layout.total < 60 else ""
        pen.text((layout.right, middle), now, DIM, layout.small, anchor="rm")
        room = layout.right - layout.small.getlength(now) - layout.em - layout.pad
        event = event_at(self._timeline.events, seconds)
        if event is None:
            pen.text((layout.pad, middle), NO_EVENT, DIM, layout.bold, anchor="lm")
            return
        half = round(0.45 * layout.em)
        colour = label_colour(event.label, self._timeline.labels)
        pen.rectangle((layout.pad, middle - half, layout.pad + 2 * half, middle + half), colour)
        left = layout.pad + 2 * half + round(0.5 * layout.em)
        score = f"{event.score:.2f}"
        number = layout.small.getlength(score) + 0.6 * layout.em
        word = fitted(one_line(event.label), layout.bold, room - left - number)
        pen.text((left, middle), word, PLAYHEAD, layout.bold, anchor="lm")
        x = left + layout.bold.getlength(word) + 0.6 * layout.em
        pen.text((x, middle), score, DIM, layout.small, anchor="lm")

    def _gate_at(self, gate: FloatArray, seconds: float) -> float:
        value = at_moment(gate, self._timeline.grid, seconds)
        return float(np.clip(np.nan_to_num(value), 0, 1))

    def _draw_gate(self, pen: ImageDraw.ImageDraw, n: int, gate: float, colour: Colour) -> None:
        _, start, end = self.layout.gate_columns(n, len(self._gates))
        pen.rectangle(self._bar(start, start + round(gate * (end - start))), colour)
        place = (end + 0.5 * self.layout.em, self.layout.gates_middle)
        pen.text(place, f"{gate:.2f}", DIM, self.layout.small, anchor="lm")

    def _bar(self, start: int, end: int) -> tuple[int, int, int, int]:
        half, middle = round(0.28 * self.layout.em), self.layout.gates_middle
        return start, middle - half, end, middle + half

    def _draw_playhead(self, pen: ImageDraw.ImageDraw, seconds: float) -> None:
        layout, x = self.layout, self.layout.x_of(seconds)
        top, bottom = layout.track_top(0) - round(0.35 * layout.em), layout.tracks_bottom
        half = max(2, round(0.3 * layout.em))
        pen.rectangle((x - 1, top, x, bottom), PLAYHEAD)
        pen.polygon(((x - half, top), (x + half - 1, top), (x, top + half)), PLAYHEAD)
