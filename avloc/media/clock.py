"""When each decoded frame is shown, in exact seconds from the origin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from avloc.media.continuity import LONGEST_GAP, RESTART
from avloc.media.streams import (
    Trouble,
    decoded,
    opened,
    origin_of,
    packets,
    picture_stream,
    the_picture,
)

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from avloc.media.streams import StreamPacket

FALLBACK_RATE = Fraction(25)  # what FFmpeg assumes of a raw stream that says nothing
N_LOOKED_AT = 48  # packets; B-frame reordering reaches back 16 at most
# Containers that store when a picture is shown; others store only the order of decoding.
_STORES_TIMES = ("mov,", "matroska,", "mpegts", "flv")


@dataclass(frozen=True)
class Shown:
    """One decoded frame and when it is shown.

    Attributes:
        index: its place in decode order (the order frames leave the decoder).
        start: when it appears, and
        end: when its own duration is over; seconds from the origin.
        frame: the picture, not yet converted.
    """

    index: int
    start: Fraction
    end: Fraction
    frame: VideoFrame


def frame_rate(stream: VideoStream) -> Fraction:
    """Return frames a second: FFmpeg's guess from the codec and the container together.

    The container's average alone can be wrong many times over (an AVI written from a
    stream with B-frames claims 600). A rate of less than a frame an hour is a damaged header.
    """
    stated = stream.guessed_rate, stream.average_rate, stream.codec_context.framerate
    return next((rate for rate in stated if rate and rate * LONGEST_GAP > 1), FALLBACK_RATE)


def needs_rebuilt_times(path: Path) -> bool:
    """Say whether a file's picture times cannot be used: missing, backwards, or hours apart.

    H.264 in AVI carries the decoder's order as if it were times, so frames come in the
    right order with shuffled times. Decoding is tried only where there is suspicion: a
    container that stores no times of its own, and a codec that reorders.
    """
    with opened(path) as container:
        stream = picture_stream(container)
        if stream is None:
            return False
        begin = islice(packets(container, Trouble(), stream), N_LOOKED_AT)
        return are_times_wrong(path, container, stream, begin)


def are_times_wrong(
    path: Path, container: InputContainer, stream: VideoStream, begin: Iterable[StreamPacket]
) -> bool:
    """Say it of an open file by the first packets of its picture; see `needs_rebuilt_times`."""
    if _states_no_rate(stream) or any(packet.pts is None for packet in begin):
        return True
    is_sure = container.format.name.startswith(_STORES_TIMES)
    return not is_sure and stream.codec_context.has_b_frames and _goes_backwards(path)


def _states_no_rate(stream: VideoStream) -> bool:
    """Say whether each frame is stated to stand for hours."""
    return stream.guessed_rate is not None and 0 < stream.guessed_rate * LONGEST_GAP <= 1


def _goes_backwards(path: Path) -> bool:
    with opened(path) as container:
        frames = islice(decoded(container, the_picture(container), Trouble()), N_LOOKED_AT)
        times = [frame.pts for frame in frames]
    return any(time is None or later is None or later < time for time, later in pairwise(times))


class Clock:
    """Gives each frame of one stream its exact time, never running backwards.

    A frame is held back until the next has come: a time that lies ahead of the next frame's
    is damaged, and so is one more than an hour after the frame before.

    Args:
        container: the open file.
        stream: its picture.
        is_rebuilt: count frames at the stream's rate instead of believing their times.

    Attributes:
        is_rebuilt: becomes True when a time had to be made up on the way.
        rate: frames a second, for made-up times and missing durations.
        origin: of the file, seconds.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, is_rebuilt: bool) -> None:
        self.origin = origin_of(container)
        self.rate = frame_rate(stream)
        self.is_rebuilt = is_rebuilt
        self._only_counts = is_rebuilt
        self._n = 0
        self._held: VideoFrame | None = None
        self._last: Fraction | None = None
        self._shift = -self.origin
        begin, base = stream.start_time, stream.time_base
        is_offset = begin is not None and base is not None
        first = begin * base - self.origin if is_offset else Fraction(0)  # type: ignore[operator]
        self._first = first if first <= LONGEST_GAP else Fraction(0)

    def walk(self, frames: Iterable[VideoFrame]) -> Iterator[Shown]:
        """Stamp frames as they come."""
        for frame in frames:
            yield from self.take(frame)
        yield from self.rest()

    def take(self, frame: VideoFrame) -> Iterator[Shown]:
        """Yield the frame before this one with its time; the order of the calls is trusted."""
        held, self._held = self._held, frame
        if held is not None:
            yield self._stamp(held, frame)

    def rest(self) -> Iterator[Shown]:
        """Yield the last frame."""
        held, self._held = self._held, None
        if held is not None:
            yield self._stamp(held, None)

    def _stamp(self, frame: VideoFrame, following: VideoFrame | None) -> Shown:
        start = self._time(frame, following)
        end = start + (self._duration(frame) or 1 / self.rate)
        shown = Shown(self._n, start, end, frame)
        self._n, self._last = self._n + 1, start
        return shown

    def _time(self, frame: VideoFrame, following: VideoFrame | None) -> Fraction:
        if self._only_counts:
            return self._first + self._n / self.rate
        stated = self._stated(frame)
        if stated is not None and not self._is_ahead(stated, following):
            step = stated - (self._last or 0)
            if (self._last is None and step <= LONGEST_GAP) or 0 <= step <= LONGEST_GAP:
                return stated
            if self._last is not None and -RESTART <= step < 0:
                return self._made_up(Fraction(1, 2))  # twice as fast, until times catch up
            self._shift += self._made_up(Fraction(1)) - stated
        return self._made_up(Fraction(1))

    def _made_up(self, n_frames: Fraction) -> Fraction:
        """Return the time some frames after the last."""
        self.is_rebuilt = True
        return self._first if self._last is None else self._last + n_frames / self.rate

    def _stated(self, frame: VideoFrame | None) -> Fraction | None:
        if frame is None or frame.pts is None or frame.time_base is None:
            return None
        return frame.pts * frame.time_base + self._shift

    def _is_ahead(self, stated: Fraction, following: VideoFrame | None) -> bool:
        """Say whether a time lies ahead of the next frame's, which follows the last's."""
        then = self._stated(following)
        return then is not None and (self._last is None or self._last <= then) and then < stated

    def _duration(self, frame: VideoFrame) -> Fraction | None:
        if self._only_counts or not frame.duration or frame.time_base is None:
            return None
        return frame.duration * frame.time_base
