"""How long a file is: from the origin to the end of its longer stream."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

from avloc.media.continuity import LONGEST_GAP, RESTART, can_be_joined
from avloc.media.frame_clock import frame_rate
from avloc.media.media_file import MediaFile, StreamPacket, open_media

# Bare streams of packets: FFmpeg guesses their length from the first packets' bit rate, and
# six seconds of AAC that begin in silence come out as 95.
_BARE = frozenset(("aac", "ac3", "dts", "eac3", "loas", "mlp", "mp3", "truehd"))
_NO_ORIGIN = Fraction(1, 4)  # seconds; less makes no difference to the number of segments
# A stated length is believed up to so many times what the file holds, and so many seconds more:
# an interrupted download keeps its length, and a header that says hours of seconds does not.
_TIMES_BEYOND, _SECONDS_BEYOND = 2, 60
# A file with fewer bytes a second is measured: speech at the lowest rate takes 600.
_FEWEST_BYTES = 1000


def duration_of(media: MediaFile, *, is_rebuilt: bool) -> tuple[Fraction, bool]:
    """Return a file's seconds, and whether it states far more than it holds (was cut off).

    All packets are read only where no length is stated, or where the file's size or its last
    packets contradict it. The open file cannot be used afterwards.
    """
    stated = _stated(media)
    if stated is not None and _is_borne_out(media, stated):
        return stated, False
    measured = _measured(media.path, is_rebuilt)
    if stated is None:
        return measured, False
    is_near = 0 < stated <= _TIMES_BEYOND * measured + _SECONDS_BEYOND
    return (stated, False) if is_near else (measured, True)


def _is_borne_out(media: MediaFile, stated: Fraction) -> bool:
    if stated <= _SECONDS_BEYOND:
        return stated > 0
    if media.container.size < stated * _FEWEST_BYTES:
        return False
    origin = media.origin
    try:
        media.container.seek(int((origin + stated * 3 / 4) * av.time_base))
    except (av.FFmpegError, OSError):
        return False
    times = (
        packet.pts * packet.time_base - origin
        for packet in media.packets(*media.streams)
        if packet.pts is not None
    )
    return any(time >= (stated - _SECONDS_BEYOND) / _TIMES_BEYOND for time in times)


def _stated(media: MediaFile) -> Fraction | None:
    if media.container.format.name in _BARE or can_be_joined(media.container):
        return None
    origin, ends = media.origin, []
    for stream in media.streams:
        if stream.duration is None or stream.time_base is None:
            # Matroska states one length for the whole file only: some writers count it from
            # zero, others from where the file begins.
            total: int | None = media.container.duration
            if total is None or abs(origin) >= _NO_ORIGIN:
                return None
            return Fraction(total, av.time_base)
        begin = stream.start_time * stream.time_base if stream.start_time is not None else origin
        ends.append(begin + stream.duration * stream.time_base)
    return max(ends) - origin


def _measured(path: Path, is_rebuilt: bool) -> Fraction:
    with open_media(path) as media:
        last = {stream.index: _LastPacket() for stream in media.streams}
        for packet in media.packets(*media.streams):
            last[packet.stream.index].take(packet)
        ends = []
        if media.picture is not None:
            frame_seconds, picture = 1 / frame_rate(media.picture), last[media.picture.index]
            end = None if is_rebuilt else picture.end(media.origin, frame_seconds)
            ends.append(picture.n_packets * frame_seconds if end is None else end)
        if media.sound is not None:
            end = last[media.sound.index].end(media.origin, Fraction(0))
            ends += [] if end is None else [end]
    if ends:
        return max(ends)
    with open_media(path) as media:  # sound whose packets have no times: count its samples
        n_samples = sum(frame.samples for frame in media.sounds())
        return Fraction(n_samples, media.require_sound().codec_context.sample_rate)


class _LastPacket:
    """Counts a stream's packets; finds when the one shown last ends."""

    def __init__(self) -> None:
        self.n_packets = 0
        self._latest: tuple[Fraction, Fraction] | None = None
        self._newest: tuple[Fraction, Fraction] | None = None
        self._order: Fraction | None = None
        self._begin = Fraction(0)
        self._shift = Fraction(0)

    def take(self, packet: StreamPacket) -> None:
        self.n_packets += 1
        # A time is believed once the next packet bears it out.
        if packet.pts is None or packet.time_base is None:
            return
        time, length = packet.pts * packet.time_base, (packet.duration or 0) * packet.time_base
        # B-frames are shown before what is decoded before them: only this order never goes back.
        order = time if packet.dts is None else packet.dts * packet.time_base
        if self._order is not None and order >= self._order - RESTART:
            self._settle()
        self._order, self._newest = order, (time + self._shift, length)

    def _settle(self) -> None:
        assert self._newest is not None
        time, length = self._newest
        if self._latest is None:
            self._begin, self._latest = time, self._newest
            return
        if time - self._latest[0] > LONGEST_GAP:  # a broken clock
            beyond = time - sum(self._latest)
            self._shift -= beyond
            time -= beyond
        self._begin = min(self._begin, time)
        self._latest = max(self._latest, (time, length))

    def end(self, origin: Fraction, fallback: Fraction) -> Fraction | None:
        """Return the end in seconds from the origin; the fallback is a packet's length."""
        if self._newest is not None:
            self._settle()
        if self._latest is None:
            return None
        is_late = self._begin - origin > LONGEST_GAP  # then it counts from its own begin
        time, length = self._latest
        return time + (length or fallback) - (self._begin if is_late else origin)
