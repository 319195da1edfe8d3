"""Times that cannot be, or that start again in the middle of a file."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer

    from avloc.media.streams import StreamPacket

LONGEST_GAP = 3600  # seconds; beyond it is a broken clock, not a hole to be filled
RESTART = 1  # seconds; times that go back further start again, less is an overlap
# Containers of packets that carry their own times: files of them can be joined with `cat`.
_CAN_BE_JOINED = frozenset(("mpegts", "mpeg"))


def can_be_joined(container: InputContainer) -> bool:
    """Say whether a container may be files joined end to end, each with times of its own."""
    return container.format.name in _CAN_BE_JOINED


@dataclass
class _Progress:
    """How far a stream is: the part it is in, and its last time there in the file's clock."""

    part: int = 0
    last: Fraction | None = None
    before_jump: Fraction | None = None

    def starts_again(self, time: Fraction) -> bool:
        """Take the next packet's time; say whether a new part begins with it."""
        last, self.last = self.last, time
        if last is None or abs(time - last) <= RESTART:
            return False
        if time > last:
            self.before_jump = last
            return False
        before, self.before_jump = self.before_jump, None
        # Back to where it had jumped ahead from: a damaged time, and not a new part.
        is_return = before is not None and -RESTART <= time - before <= 10 * RESTART
        return not is_return


class Joins:
    """Lets each joined part follow the one before, its picture and its sound by the same shift.

    Attributes:
        has_any: times started again.
    """

    def __init__(self) -> None:
        self._shifts = [Fraction(0)]  # of each part, seconds
        self._streams: dict[int, _Progress] = {}
        self._end = Fraction(0)

    @property
    def has_any(self) -> bool:
        """Times started again."""
        return len(self._shifts) > 1

    def shift(self, packet: StreamPacket) -> None:
        """Put the file's next packet on the common clock."""
        base = packet.time_base
        ticks = packet.dts if packet.dts is not None else packet.pts
        if ticks is None or base is None:
            return
        stream = self._streams.setdefault(packet.stream.index, _Progress())
        if stream.starts_again(ticks * base):
            self._next_part(stream, packet.pts * base if packet.pts is not None else ticks * base)
        by = round(self._shifts[stream.part] / base)
        if packet.dts is not None:
            packet.dts += by
        if packet.pts is not None:
            packet.pts += by
            self._end = max(self._end, (packet.pts + (packet.duration or 0)) * base)

    def _next_part(self, stream: _Progress, begin: Fraction) -> None:
        """Move a stream to the newest part, which it begins if no other stream has."""
        newest = len(self._shifts) - 1
        if stream.part == newest:
            self._shifts.append(self._end - begin)
            newest += 1
        stream.part = newest
