"""An open media file: its picture, its sound, and what decodes of them, damaged or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import av
from av import AudioFrame, AudioStream, Packet, VideoFrame, VideoStream
from av.container import InputContainer
from av.stream import Disposition

from avloc.errors import MediaError
from avloc.media.containers import open_container
from avloc.media.continuity import Joins, can_be_joined
from avloc.progress import give_sign

StreamPacket: TypeAlias = "Packet[Any]"

_STILL = Disposition.attached_pic | Disposition.timed_thumbnails
_MICROSECOND = Fraction(1, 1_000_000)
_SHORT_OF_END = Fraction(1)  # seconds; rounded lengths and clocks are not this far off


@dataclass
class Damage:
    """What went wrong while a file was read."""

    is_truncated: bool = False
    is_joined: bool = False
    _is_corrupt: bool = False
    _has_bad_tail: bool = False  # at the end of a stream, that is a file that breaks off
    _has_ended: bool = False

    def note_packet(self, *, is_good: bool) -> None:
        """Take note of whether a packet decoded."""
        self._is_corrupt |= is_good and self._has_bad_tail
        self._has_bad_tail = not is_good

    def note_end(self) -> None:
        """Take note that a stream is over."""
        self._has_ended = True
        self.is_truncated |= self._has_bad_tail

    @property
    def flags(self) -> list[str]:
        """The same as names of `avloc.media.FLAGS`."""
        flags = {
            "corrupt": self._is_corrupt or (self._has_bad_tail and not self._has_ended),
            "truncated": self.is_truncated,
            "joined": self.is_joined,
        }
        return [name for name, is_so in flags.items() if is_so]


class MediaFile:
    """An open media file; use `open_media`."""

    def __init__(self, path: Path, container: InputContainer) -> None:
        self.path, self.container = path, container
        # The moving picture (a cover is not one), and the sound that a player would choose.
        self.picture, self.sound = _picture_of(container), _sound_of(container)
        self.streams = [stream for stream in (self.picture, self.sound) if stream is not None]
        self.damage = Damage()
        if not self.streams:
            raise MediaError(
                f"{path} holds neither a picture nor sound that can be decoded",
                "Give a video or sound file.",
            )
        for stream in self.streams:  # threaded decoders deadlock in forked and dying workers
            stream.codec_context.thread_count = 1

    def require_picture(self) -> VideoStream:
        """Return the picture, or raise a `MediaError`."""
        if self.picture is None:
            raise MediaError(f"{self.path} has no picture", "Only its sound can be used.")
        return self.picture

    def require_sound(self) -> AudioStream:
        """Return the sound, or raise a `MediaError`."""
        if self.sound is None:
            raise MediaError(f"{self.path} has no sound", "Only its picture can be used.")
        return self.sound

    @property
    def origin(self) -> Fraction:
        """``container.start_time`` in seconds, made exact."""
        starts = [
            stream.start_time * stream.time_base
            for stream in self.streams
            if stream.start_time is not None and stream.time_base is not None
        ]
        stated: int | None = self.container.start_time  # PyAV's types say it is never missing
        if stated is None:
            return min(starts, default=Fraction(0))
        # FFmpeg rounds to a microsecond; the stream that begins there states the exact time. It
        # matters where a frame lies exactly on the edge between two samples.
        rounded = stated * _MICROSECOND
        nearest = min(starts, key=lambda begin: abs(begin - rounded), default=rounded)
        return nearest if abs(nearest - rounded) <= _MICROSECOND else rounded

    def packets(self, *streams: VideoStream | AudioStream) -> Iterator[StreamPacket]:
        """Yield the packets of these streams, with times that never start again on the way."""
        if not can_be_joined(self.container):
            yield from self._demuxed(*streams)
            return
        joins, wanted = Joins(), {stream.index for stream in streams}
        for packet in self._demuxed(*self.streams):
            joins.shift(packet)
            self.damage.is_joined = joins.has_any
            if packet.stream.index in wanted:
                yield packet

    def _demuxed(self, *streams: VideoStream | AudioStream) -> Iterator[StreamPacket]:
        demuxed = self.container.demux(*streams)
        while True:
            give_sign()
            try:
                packet = next(demuxed)
            except StopIteration:
                return
            except (av.FFmpegError, OSError):
                self.damage.is_truncated = True
                return
            if packet.size > 0 or packet.dts is not None:  # else the end mark: see `flush`
                yield packet

    def decode(self, packet: StreamPacket) -> list[Any]:
        """Return a packet's frames; what does not decode is damage."""
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError):
            frames, is_good = [], False
        else:
            is_good = not (packet.is_corrupt or any(frame.is_corrupt for frame in frames))
        self.damage.note_packet(is_good=is_good)
        return frames

    def flush(self, stream: VideoStream | AudioStream) -> list[Any]:
        """Return the frames that the decoder still holds at the end of a stream."""
        self.damage.note_end()
        try:
            frames = stream.codec_context.decode(None)
        except (av.FFmpegError, ValueError):
            return []
        for frame in frames:
            frame.time_base = stream.time_base  # PyAV takes it from the packet; there is none
        return frames

    def pictures(self) -> Iterator[VideoFrame]:
        """Yield the picture's frames in decode order, past damage, to where the file ends."""
        return self._frames(self.require_picture())

    def sounds(self) -> Iterator[AudioFrame]:
        """Yield the sound's frames, past damage, to where the file ends."""
        return self._frames(self.require_sound())

    def _frames(self, stream: VideoStream | AudioStream) -> Iterator[Any]:
        end = None
        for packet in self.packets(stream):
            begin = packet.pts if packet.pts is not None else packet.dts
            end = None if begin is None else begin + (packet.duration or 0)
            yield from self.decode(packet)
        yield from self.flush(stream)
        if end is not None and stream.duration is not None and stream.time_base is not None:
            missing = (stream.start_time or 0) + stream.duration - end
            self.damage.is_truncated |= missing * stream.time_base > _SHORT_OF_END


@contextmanager
def open_media(path: Path | str) -> Iterator[MediaFile]:
    """Open a media file for reading, or raise a `MediaError`."""
    path = Path(path)
    with open_container(path) as container:
        yield MediaFile(path, container)


def _picture_of(container: InputContainer) -> VideoStream | None:
    best = container.streams.best("video")
    for stream in ([best] if best is not None else []) + list(container.streams.video):
        # A codec that this FFmpeg cannot decode has no context.
        if not stream.disposition & _STILL and stream.codec_context is not None:
            return stream  # type: ignore[return-value]
    return None


def _sound_of(container: InputContainer) -> AudioStream | None:
    best: Any = container.streams.best("audio")
    # No context without a decoder; no rate in a header without sound behind it.
    has_sound = best is not None and best.codec_context is not None
    return best if has_sound and best.codec_context.sample_rate else None
