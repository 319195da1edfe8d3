"""Times that cannot be right, or that start again in the middle of a file."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av import Packet
from av.container import InputContainer

LONGEST_GAP = 3600  # seconds; more is a broken clock, not a gap to be filled
RESTART = 1  # seconds; times that go back further start again, less is an overlap
# Containers of packets that carry their own times: files of them can be joined with `cat`.
_CAN_BE_JOINED = frozenset(("mpegts", "mpeg"))


def can_be_joined(container: InputContainer) -> bool:
    """Say whether a container may be files joined end to end, each with times of its own."""
    return container.format.name in _CAN_BE_JOINED


@dataclass
class _StreamState:
    """The part a stream is in, and its last time there."""

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
        # Back to where it had jumped ahead from: a damaged time, not a new part.
        is_return = before is not None and -RESTART <= time - before <= 10 * RESTART
        return not is_return


class Joins:
    """Lets each joined part follow the last, its picture and its sound by the same shift."""

    def __init__(self) -> None:
        self._shifts = [Fraction(0)]  # of each part, seconds
        self._streams: dict[int, _StreamState] = {}
        self._end = Fraction(0)

    @property
    def has_any(self) -> bool:
        """Times started again."""
        return len(self._shifts) > 1

    def shift(self, packet: Packet[Any]) -> None:
        """Put the file's next packet on the common clock."""
        base = packet.time_base
        ticks = packet.dts if packet.dts is not None else packet.pts
        if ticks is None or base is None:
            return
        stream = self._streams.setdefault(packet.stream.index, _StreamState())
        if stream.starts_again(ticks * base):
            if stream.part == len(self._shifts) - 1:  # the first stream to reach the next part
                begin = (packet.pts if packet.pts is not None else ticks) * base
                self._shifts.append(self._end - begin)
            stream.part = len(self._shifts) - 1
        by = round(self._shifts[stream.part] / base)
        if packet.dts is not None:
            packet.dts += by
        if packet.pts is not None:
            packet.pts += by
            self._end = max(self._end, (packet.pts + (packet.duration or 0)) * base)
