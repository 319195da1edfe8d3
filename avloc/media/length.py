"""How long a file is: from the origin to the end of its longer stream."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from avloc.media.clock import frame_rate
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


def duration_of(path: Path, *, is_rebuilt: bool) -> Fraction:
    """Return a file's length in seconds: as it states it, or measured where it does not.

    A file that was cut off in the middle still states its whole length.

    Args:
        path: the file.
        is_rebuilt: its picture times cannot be used (`needs_rebuilt_times`).

    Raises:
        MediaError: it cannot be opened.
    """
    with opened(path) as container:
        stated = _stated(container)
    return stated if stated is not None else _measured(path, is_rebuilt)


def _stated(container: InputContainer) -> Fraction | None:
    """Return the end of the longer stream minus the origin; None when nothing says it."""
    if container.format.name in _BARE:
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
        if sound is not None and (end := last[sound.index].seconds(Fraction(0))) is not None:
            ends.append(end - origin)
    return max(ends) if ends else _heard(path)


class _End:
    """How many packets a stream has, and when the last one to be shown ends."""

    def __init__(self) -> None:
        self.n_packets = 0
        self._latest: tuple[Fraction, Fraction] | None = None

    def take(self, packet: StreamPacket) -> None:
        """Look at the next packet."""
        self.n_packets += 1
        if packet.pts is not None and packet.time_base is not None:
            own = packet.pts * packet.time_base, (packet.duration or 0) * packet.time_base
            self._latest = own if self._latest is None else max(self._latest, own)

    def seconds(self, fallback: Fraction) -> Fraction | None:
        """Return the end in the file's own clock; None when no packet has a time.

        Args:
            fallback: the length of a last packet that does not state its own.
        """
        if self._latest is None:
            return None
        return self._latest[0] + (self._latest[1] or fallback)


def _picture_end(picture: VideoStream, last: _End, origin: Fraction, is_rebuilt: bool) -> Fraction:
    one = 1 / frame_rate(picture)
    end = None if is_rebuilt else last.seconds(one)
    return last.n_packets * one if end is None else end - origin


def _heard(path: Path) -> Fraction:
    """Return the length of sound whose packets have no times: that of its samples."""
    with opened(path) as container:
        sound = sound_stream(container)
        assert sound is not None  # `opened` refuses files with neither
        n_samples = sum(frame.samples for frame in decoded(container, sound, Trouble()))
        return Fraction(n_samples, sound.codec_context.sample_rate)
