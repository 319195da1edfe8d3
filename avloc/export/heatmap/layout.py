"""Where things stand in the strip under the picture."""

from __future__ import annotations

from dataclasses import dataclass

from avloc.export.lettering import Font, font


@dataclass(frozen=True)
class Layout:
    """Places in pixels, all from one letter size that grows with the picture.

    Attributes:
        width: of the strip.
        em: the letters' size.
        n_tracks: lines of events.
        has_gates: whether there is a line of gates.
        total: seconds along the time line.
        height: of the strip.
    """

    width: int
    em: int
    n_tracks: int
    has_gates: bool
    total: float
    height: int

    @classmethod
    def fit(cls, width: int, above: int, n_tracks: int, has_gates: bool, total: float) -> Layout:
        """Lay a strip out under a picture ``above`` pixels high; both together are even."""
        em = max(12, round(min(width, 2 * above) / 46))
        layout = cls(width, em, n_tracks, has_gates, total, 0)
        height = layout.tracks_bottom + round(1.7 * em)
        return cls(width, em, n_tracks, has_gates, total, height + (height + above) % 2)

    @property
    def small(self) -> Font:
        """The letters of captions, ticks and event labels."""
        return font(max(10, round(0.85 * self.em)))

    @property
    def bold(self) -> Font:
        """The letters of the current event."""
        return font(round(1.1 * self.em), True)

    @property
    def pad(self) -> int:
        """The margin at both sides."""
        return round(0.7 * self.em)

    @property
    def head_middle(self) -> int:
        """The row of the current event's middle."""
        return round(1.2 * self.em)

    @property
    def gates_middle(self) -> int:
        """The row of the gates' middle."""
        return round(2.7 * self.em)

    @property
    def row(self) -> int:
        """A track's height."""
        return round(1.45 * self.em)

    def track_top(self, n: int) -> int:
        """Return the first row of track ``n``."""
        first = round((3.7 if self.has_gates else 2.3) * self.em)
        return first + n * (self.row + round(0.3 * self.em))

    @property
    def tracks_bottom(self) -> int:
        """The row under the last track."""
        return self.track_top(self.n_tracks - 1) + self.row

    @property
    def left(self) -> int:
        """The time line's first column; captions stand before it when there are two tracks."""
        captions = self.small.getlength("found") + 0.6 * self.em if self.n_tracks > 1 else 0
        return round(self.pad + captions)

    @property
    def right(self) -> int:
        """The time line's last column."""
        return self.width - self.pad

    def x_of(self, seconds: float) -> int:
        """Return the time line's column at a moment."""
        share = min(max(seconds / self.total, 0.0), 1.0)
        return round(self.left + share * (self.right - self.left))

    def gate_columns(self, n: int, n_gates: int) -> tuple[int, int, int]:
        """Return where gate ``n``'s name begins, and where its bar begins and ends."""
        room = (self.right - self.pad + self.em) / n_gates
        left = self.pad + n * room
        number = self.small.getlength("0.00") + 0.5 * self.em
        name = self.small.getlength("hear") + 0.5 * self.em
        return round(left), round(left + name), round(left + room - self.em - number)
