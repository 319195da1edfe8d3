"""The strip under the picture: the event of the moment, by which sense, and all events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import isnan
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw
from PIL.ImageFont import FreeTypeFont, truetype

from avloc.colours import SENSE_COLOURS, Colour, faded, ink_on, label_colour
from avloc.export.axis import Axis, moment, ticks
from avloc.export.confidence import confidence, opacity
from avloc.export.lanes import Lanes, assign_lanes
from avloc.export.lines import one_line
from avloc.export.playback import NO_EVENT, at_moment, event_at, total_seconds
from avloc.export.sense_letters import LETTERS, are_unknown, sense_shares, shown_labels
from avloc.timeline import Event, Timeline

GROUND: Colour = (22, 24, 29)
TROUGH: Colour = (50, 54, 63)
_DIM: Colour = (172, 177, 188)
_BRIGHT: Colour = (255, 255, 255)
_BLACK: Colour = (0, 0, 0)
_MOST_LANES = 6  # or the strip would be higher than the picture
_FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"


class Panel:
    """Draws the strip, ``width`` pixels wide, at any moment; what never moves is drawn once."""

    def __init__(
        self, timeline: Timeline, width: int, truth: Sequence[Event] | None = None
    ) -> None:
        self.timeline, self.total = timeline, total_seconds(timeline)
        classes = shown_labels(timeline)
        said = sense_shares(timeline)
        self.bars = [(share.sense, share.of_labels(classes), share.colour) for share in said]
        self.tracks = [_Track.of("found", timeline.events)]
        if truth is not None:
            self.tracks.insert(0, _Track.of("true", tuple(truth)))
        self.em = em = max(12, width // 46)
        self.small, self.bold = font(max(10, round(0.85 * em))), font(round(1.1 * em), True)
        self.pad, self.head, self.bar_row = round(0.7 * em), round(1.2 * em), round(2.7 * em)
        names = self.small.getlength("found") + 0.6 * em if truth is not None else 0
        self.left, self.right = round(self.pad + names), width - self.pad
        self.top, self.step = round((3.7 if self.bars else 2.3) * em), round(1.6 * em)
        self.bottom = self.track(len(self.tracks) - 1)[1] + 1
        self.n_hidden = sum(track.lanes.n_hidden for track in self.tracks)
        self.height = self.bottom + round((3.0 if self.n_hidden else 1.7) * em)
        self._still = self._draw_still(width)

    def x_of(self, seconds: float) -> int:
        """Return the column of a moment on the time line."""
        share = min(max(seconds / self.total, 0.0), 1.0)
        return round(self.left + share * (self.right - self.left))

    def lane(self, n: int, k: int) -> tuple[int, int]:
        """Return the first and the last row of pixels of lane ``k`` of track ``n``."""
        n_above = sum(track.lanes.n_lanes for track in self.tracks[:n]) + k
        top = self.top + n_above * self.step + n * round(0.25 * self.em)
        return top, top + round(1.45 * self.em) - 1

    def track(self, n: int) -> tuple[int, int]:
        """Return the first and the last row of pixels of track ``n``."""
        return self.lane(n, 0)[0], self.lane(n, self.tracks[n].lanes.n_lanes - 1)[1]

    def bar(self, n: int, value: float = 1.0) -> tuple[int, int, int, int]:
        """Return the pixels of sense ``n``'s bar: left, top, right, bottom."""
        name, number = (self.small.getlength(word) + 0.5 * self.em for word in ("heard", "0.00"))
        room = (self.right - self.pad + self.em) / len(self.bars)
        left, half = round(self.pad + n * room + name), round(0.28 * self.em)
        length = room - self.em - number - name
        return left, self.bar_row - half, left + round(value * length), self.bar_row + half

    def draw(self, seconds: float) -> Image.Image:
        """Return the strip at a moment, RGB."""
        picture = self._still.copy()
        pen = ImageDraw.Draw(picture)
        self._draw_head(pen, seconds)
        for n, (_, shares, colour) in enumerate(self.bars):
            value = float(at_moment(shares, self.timeline.grid, seconds))
            word = "–" if isnan(value) else f"{value:.2f}"  # the sense knows nothing of the label
            if not isnan(value):
                pen.rectangle(self.bar(n, value), colour)
            self._write(pen, self.bar(n)[2] + 0.5 * self.em, self.bar_row, word)
        x, top, half = self.x_of(seconds), self.top - round(0.35 * self.em), round(0.3 * self.em)
        pen.rectangle((x - 1, top, x, self.bottom), _BRIGHT)
        pen.polygon(((x - half, top), (x + half - 1, top), (x, top + half)), _BRIGHT)
        return picture

    def _draw_still(self, width: int) -> Image.Image:
        picture = Image.new("RGB", (width, self.height), GROUND)
        pen = ImageDraw.Draw(picture)
        for n, (name, _, _) in enumerate(self.bars):
            left = self.bar(n)[0] - 0.5 * self.em - self.small.getlength("heard")
            self._write(pen, left, self.bar_row, name)
            pen.rectangle(self.bar(n), TROUGH)
        for n, track in enumerate(self.tracks):
            if len(self.tracks) > 1:
                self._write(pen, self.pad, sum(self.track(n)) / 2, track.name)
            self._draw_track(pen, n)
        self._draw_ticks(pen)
        if self.n_hidden:
            words = f"{self.n_hidden} more at the same time, not drawn"
            self._write(pen, self.left, self.height - 0.8 * self.em, words)
        return picture

    def _draw_track(self, pen: ImageDraw.ImageDraw, n: int) -> None:
        track = self.tracks[n]
        for k in range(track.lanes.n_lanes):
            top, bottom = self.lane(n, k)
            pen.rectangle((self.left, top, self.right, bottom), TROUGH)
        has_letters = not are_unknown(track.events)
        for event, k in track.lanes.shown(track.events):
            if event.start < self.total:  # else a true event past the video's end
                self._draw_event(pen, event, self.lane(n, k), has_letters)

    def _draw_event(
        self, pen: ImageDraw.ImageDraw, event: Event, rows: tuple[int, int], has_letter: bool
    ) -> None:
        """Draw a block, fainter where the event is less sure, with sense and label if they fit."""
        top, bottom = rows
        left = self.x_of(event.start)
        right = max(self.x_of(event.end) - 2, left + 1)
        colour = label_colour(event.label, self.timeline.labels)
        colour = faded(colour, opacity(event.score), TROUGH)
        pen.rectangle((left, top, right, bottom), colour)
        x, y = left + 0.3 * self.em, (top + bottom) / 2
        if has_letter and right - left > 1.5 * self.em:
            x = self._draw_letter(pen, event, x, y) + 0.3 * self.em
        label = one_line(event.label)
        word = fitted(label, self.small, right - x - 0.3 * self.em)
        if len(word) > 2 or word == label:
            pen.text((x, y), word, ink_on(colour), self.small, anchor="lm")

    def _draw_letter(self, pen: ImageDraw.ImageDraw, event: Event, x: float, y: float) -> int:
        """Draw the letter of an event's sense on its colour; return where it ends."""
        half = round(0.5 * self.em)
        box = round(x), round(y) - half, round(x) + 2 * half, round(y) + half
        pen.rectangle(box, SENSE_COLOURS[event.sense], outline=_BLACK)
        middle = (box[0] + box[2] + 1) / 2, (box[1] + box[3] + 1) / 2
        pen.text(middle, LETTERS[event.sense], _BLACK, self.small, anchor="mm")
        return box[2]

    def _draw_ticks(self, pen: ImageDraw.ImageDraw) -> None:
        """Draw the time line's numbers, as close as they can be read."""
        axis = Axis(self.total)
        widest = self.small.getlength(axis.length) + 1.2 * self.em
        for second in ticks(self.total, max(1, (self.right - self.left) / widest)):
            x, word = self.x_of(second), axis.words(second) + axis.unit
            pen.line((x, self.bottom, x, self.bottom + 0.25 * self.em), _DIM)
            half = self.small.getlength(word) / 2
            inside = min(max(x, self.left + half), self.right - half)
            pen.text((inside, self.bottom + 0.4 * self.em), word, _DIM, self.small, anchor="mt")

    def _draw_head(self, pen: ImageDraw.ImageDraw, seconds: float) -> None:
        """Draw the strongest event of the moment, its sense and its score, and the time."""
        now = f"{seconds:.1f} / {self.total:.1f} s"
        if self.total >= 60:
            now = " / ".join(moment(int(time), self.total) for time in (seconds, self.total))
        pen.text((self.right, self.head), now, _DIM, self.small, anchor="rm")
        event = event_at(self.timeline.events, seconds)
        if event is None:
            pen.text((self.pad, self.head), NO_EVENT, _DIM, self.bold, anchor="lm")
            return
        half = round(0.45 * self.em)
        colour, x = label_colour(event.label, self.timeline.labels), self.pad + 2 * half
        pen.rectangle((self.pad, self.head - half, x, self.head + half), colour)
        x = self._draw_letter(pen, event, x + round(0.4 * self.em), self.head)
        x += round(0.5 * self.em)
        score, gap = f"{event.score:.2f} {confidence(event.score)}", 0.6 * self.em
        room = self.right - x - self.small.getlength(now + score) - 3 * gap
        word = fitted(one_line(event.label), self.bold, room)
        pen.text((x, self.head), word, _BRIGHT, self.bold, anchor="lm")
        self._write(pen, x + self.bold.getlength(word) + gap, self.head, score)

    def _write(self, pen: ImageDraw.ImageDraw, x: float, y: float, text: str) -> None:
        pen.text((x, y), text, _DIM, self.small, anchor="lm")


@dataclass(frozen=True)
class _Track:
    """Events under one name, in lanes."""

    name: str
    events: tuple[Event, ...]
    lanes: Lanes

    @classmethod
    def of(cls, name: str, events: tuple[Event, ...]) -> _Track:
        return cls(name, events, assign_lanes(events, _MOST_LANES))


@cache
def font(size: int, is_bold: bool = False) -> FreeTypeFont:
    """Return DejaVu Sans in pixels. It comes with matplotlib, so text is the same everywhere."""
    name = "DejaVuSans-Bold.ttf" if is_bold else "DejaVuSans.ttf"
    return truetype(str(_FOLDER / name), size)


def fitted(text: str, letters: FreeTypeFont, width: float) -> str:
    """Return ``text`` cut with an ellipsis to ``width`` pixels; empty when nothing fits."""
    if letters.getlength(text) <= width:
        return text
    cuts = (text[:n].rstrip() + "…" for n in range(min(len(text), 200), 0, -1))
    return next((cut for cut in cuts if letters.getlength(cut) <= width), "")
