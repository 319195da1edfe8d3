"""When each decoded frame is shown, in exact seconds from the origin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice, pairwise
from pathlib import Path

from av import VideoFrame, VideoStream

from avloc.media.continuity import LONGEST_GAP, RESTART
from avloc.media.media_file import MediaFile, StreamPacket, open_media

FALLBACK_RATE = Fraction(25)  # what FFmpeg assumes of a raw stream that states none
N_LOOKED_AT = 48  # packets; B-frame reordering reaches back 16 at most
# Containers that store when a picture is shown; others store only the order of decoding.
_STORES_TIMES = ("mov,", "matroska,", "mpegts", "flv")


@dataclass(frozen=True)
class ShownFrame:
    """A decoded frame with its index in decode order and its seconds from the origin."""

    index: int
    start: Fraction
    end: Fraction
    frame: VideoFrame


def frame_rate(stream: VideoStream) -> Fraction:
    """Return frames a second, guessed by FFmpeg from the codec and the container together."""
    # The average alone can be wrong many times over: an AVI of a stream with B-frames claims 600.
    # A rate of less than a frame an hour is a damaged header.
    stated = stream.guessed_rate, stream.average_rate, stream.codec_context.framerate
    return next((rate for rate in stated if rate and rate * LONGEST_GAP > 1), FALLBACK_RATE)


def needs_rebuilt_times(path: Path) -> bool:
    """Say whether a file's picture times cannot be used: missing, backwards, or hours apart."""
    with open_media(path) as media:
        if media.picture is None:
            return False
        return are_times_wrong(media, islice(media.packets(media.picture), N_LOOKED_AT))


def are_times_wrong(media: MediaFile, begin: Iterable[StreamPacket]) -> bool:
    """Say whether an open file's picture times cannot be used, by its first picture packets."""
    stream = media.require_picture()
    rate = stream.guessed_rate
    lasts_hours = rate is not None and 0 < rate * LONGEST_GAP <= 1
    if lasts_hours or any(packet.pts is None for packet in begin):
        return True
    # H.264 in AVI stores the order of decoding as if it were times.
    has_times = media.container.format.name.startswith(_STORES_TIMES)
    return not has_times and stream.codec_context.has_b_frames and _goes_backwards(media.path)


def _goes_backwards(path: Path) -> bool:
    with open_media(path) as media:
        times = [frame.pts for frame in islice(media.pictures(), N_LOOKED_AT)]
    return any(time is None or later is None or later < time for time, later in pairwise(times))


class FrameClock:
    """Gives each frame of a file its exact time, never running backwards.

    A time after the next frame's is damaged, and so is one more than an hour after the last.
    """

    def __init__(self, media: MediaFile, is_rebuilt: bool) -> None:
        stream = media.require_picture()
        self.origin = media.origin
        self.rate = frame_rate(stream)
        self.is_rebuilt = is_rebuilt  # becomes true when a time has to be made up
        self._only_counts = is_rebuilt
        self._last: Fraction | None = None
        self._shift = -self.origin
        begin, base = stream.start_time, stream.time_base
        is_stated = begin is not None and base is not None
        first = begin * base - self.origin if is_stated else Fraction(0)  # type: ignore[operator]
        self._first = first if first <= LONGEST_GAP else Fraction(0)

    def walk(self, frames: Iterable[VideoFrame]) -> Iterator[ShownFrame]:
        """Yield each frame with its times, as soon as the next one has come."""
        for k, (frame, following) in enumerate(pairwise(chain(frames, (None,)))):
            assert frame is not None
            if self._only_counts:
                start, ticks = self._first + k / self.rate, None
            else:
                start, ticks = self._time(frame, following), frame.duration
            length = ticks * frame.time_base if ticks and frame.time_base else 1 / self.rate
            self._last = start
            yield ShownFrame(k, start, start + length, frame)

    def _time(self, frame: VideoFrame, following: VideoFrame | None) -> Fraction:
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
        self.is_rebuilt = True
        return self._first if self._last is None else self._last + n_frames / self.rate

    def _stated(self, frame: VideoFrame | None) -> Fraction | None:
        if frame is None or frame.pts is None or frame.time_base is None:
            return None
        return frame.pts * frame.time_base + self._shift

    def _is_ahead(self, stated: Fraction, following: VideoFrame | None) -> bool:
        then = self._stated(following)
        return then is not None and (self._last is None or self._last <= then) and then < stated
