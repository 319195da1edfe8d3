"""How long a file is: from the origin to the end of its longer stream."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av

from avloc.media.clock import frame_rate
from avloc.media.continuity import LONGEST_GAP, RESTART, can_be_joined
from avloc.media.streams import (
    Trouble,
    decoded,
    opened,
    origin_of,
    packets,
    picture_stream,
    sound_stream,
)

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

    from avloc.media.streams import StreamPacket

# Bare streams of packets: FFmpeg guesses their length from the first packets' bit rate, and
# six seconds of AAC that begin in silence come out as 95.
_BARE = frozenset(("aac", "ac3", "dts", "eac3", "loas", "mlp", "mp3", "truehd"))
_NO_ORIGIN = Fraction(1, 4)  # seconds; less makes no difference to the number of segments


# What a file states of its length is believed up to this: an interrupted download keeps its
# length, and a header that says hours of a file of seconds does not.
_FURTHEST_BEYOND = 2, 60  # times what is there, and seconds more
# A file that holds less is too small for what it states until its packets are counted: speech
# at the lowest rate takes 600 bytes a second, and counting so few takes no time.
_FEWEST_BYTES = 1000  # a second


@dataclass(frozen=True)
class Length:
    """How long a file is.

    Attributes:
        seconds: from its origin to the end of its longer stream.
        is_corrected: what the file states lies far beyond what it holds.
    """

    seconds: Fraction
    is_corrected: bool = False


def length_of(path: Path, container: InputContainer, *, is_rebuilt: bool) -> Length:
    """Return a file's length: as it states it, or measured where it cannot be that.

    A file that was cut off in the middle still states its whole length. All packets are
    looked at only where nothing is stated, or the size of the file or its packets towards
    the end do not bear it out.

    Args:
        path: the file.
        container: the same, open and done with: packets near its end may be looked at.
        is_rebuilt: its picture times cannot be used (`needs_rebuilt_times`).

    Raises:
        MediaError: it cannot be opened again.
    """
    stated = _stated(container)
    if stated is not None and _is_borne_out(container, stated):
        return Length(stated)
    measured = _measured(path, is_rebuilt)
    if stated is None:
        return Length(measured)
    factor, more = _FURTHEST_BEYOND
    is_near = 0 < stated <= factor * measured + more
    return Length(stated) if is_near else Length(measured, is_corrected=True)


def _is_borne_out(container: InputContainer, stated: Fraction) -> bool:
    """Say whether there is enough of a file for the length it states."""
    factor, more = _FURTHEST_BEYOND
    if stated <= more:
        return stated > 0
    if container.size < stated * _FEWEST_BYTES:
        return False
    return _has_packets_from(container, (stated - more) / factor, stated * 3 / 4)


def _has_packets_from(container: InputContainer, least: Fraction, aim: Fraction) -> bool:
    """Say whether there are packets later than ``least``, looking from ``aim`` on (seconds)."""
    origin = origin_of(container)
    streams = [s for s in (picture_stream(container), sound_stream(container)) if s is not None]
    try:
        container.seek(int((origin + aim) * av.time_base))
    except (av.FFmpegError, OSError):
        return False
    times = (
        packet.pts * packet.time_base - origin
        for packet in packets(container, Trouble(), *streams)
        if packet.pts is not None
    )
    return any(time >= least for time in times)


def _stated(container: InputContainer) -> Fraction | None:
    """Return the end of the longer stream minus the origin; None when nothing says it."""
    if container.format.name in _BARE or can_be_joined(container):
        return None
    origin, ends = origin_of(container), []
    for stream in (picture_stream(container), sound_stream(container)):
        if stream is None:
            continue
        if stream.duration is None or stream.time_base is None:
            # Matroska states one length for the whole file only: some writers count it from
            # zero, others from where the file begins.
            total: int | None = container.duration
            if total is None or abs(origin) >= _NO_ORIGIN:
                return None
            return Fraction(total, 1_000_000)
        begin = stream.start_time * stream.time_base if stream.start_time is not None else origin
        ends.append(begin + stream.duration * stream.time_base)
    return max(ends) - origin


def _measured(path: Path, is_rebuilt: bool) -> Fraction:
    """Read a file's packets to their end, without decoding them."""
    with opened(path) as container:
        picture, sound = picture_stream(container), sound_stream(container)
        streams = [stream for stream in (picture, sound) if stream is not None]
        last = {stream.index: _End() for stream in streams}
        for packet in packets(container, Trouble(), *streams):
            last[packet.stream.index].take(packet)
        origin = origin_of(container)
        ends = []
        if picture is not None:
            ends.append(_picture_end(picture, last[picture.index], origin, is_rebuilt))
        if sound is not None:
            end = last[sound.index].seconds(origin, Fraction(0))
            ends += [] if end is None else [end]
    return max(ends) if ends else _heard(path)


class _End:
    """How many packets a stream has, and when the last one to be shown ends."""

    def __init__(self) -> None:
        self.n_packets = 0
        self._latest: tuple[Fraction, Fraction] | None = None
        self._newest: tuple[Fraction, Fraction] | None = None
        self._order: Fraction | None = None
        self._begin = Fraction(0)
        self._shift = Fraction(0)

    def take(self, packet: StreamPacket) -> None:
        """Look at the next packet; a time that the one after does not bear out is damaged."""
        self.n_packets += 1
        if packet.pts is None or packet.time_base is None:
            return
        time, length = packet.pts * packet.time_base, (packet.duration or 0) * packet.time_base
        # B-frames are shown before what is decoded before them: only this order never goes back.
        order = time if packet.dts is None else packet.dts * packet.time_base
        if self._order is not None and order >= self._order - RESTART:
            self._settle()
        self._order, self._newest = order, (time + self._shift, length)

    def _settle(self) -> None:
        """Believe the newest time, but for a gap that only a broken clock makes."""
        assert self._newest is not None
        time, length = self._newest
        if self._latest is not None and time - self._latest[0] > LONGEST_GAP:
            beyond = time - sum(self._latest)
            self._shift -= beyond
            time -= beyond
        own = time, length
        self._begin = time if self._latest is None else min(self._begin, time)
        self._latest = own if self._latest is None else max(self._latest, own)

    def seconds(self, origin: Fraction, fallback: Fraction) -> Fraction | None:
        """Return the end in seconds from the origin; None when no packet has a time.

        Args:
            origin: of the file; a stream that begins hours later is taken to begin there.
            fallback: the length of a last packet that does not state its own.
        """
        if self._newest is not None:
            self._settle()
        if self._latest is None:
            return None
        is_late = self._begin - origin > LONGEST_GAP
        time, length = self._latest
        return time + (length or fallback) - (self._begin if is_late else origin)


def _picture_end(picture: VideoStream, last: _End, origin: Fraction, is_rebuilt: bool) -> Fraction:
    one = 1 / frame_rate(picture)
    end = None if is_rebuilt else last.seconds(origin, one)
    return last.n_packets * one if end is None else end


def _heard(path: Path) -> Fraction:
    """Return the length of sound whose packets have no times: that of its samples."""
    with opened(path) as container:
        sound = sound_stream(container)
        assert sound is not None  # `opened` refuses files with neither
        n_samples = sum(frame.samples for frame in decoded(container, sound, Trouble()))
        return Fraction(n_samples, sound.codec_context.sample_rate)
