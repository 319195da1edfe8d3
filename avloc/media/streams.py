"""Opening a container and decoding one stream of it, whatever its state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import av
from av.stream import Disposition

from avloc.errors import MediaError
from avloc.media.containers import open_container
from avloc.media.continuity import Joins, can_be_joined
from avloc.progress import give_sign

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    StreamPacket: TypeAlias = Packet[Any]

_STILL = Disposition.attached_pic | Disposition.timed_thumbnails
_MICROSECOND = Fraction(1, 1_000_000)
_SHORT_OF_END = Fraction(1)  # seconds; rounded lengths and clocks are not this far off


@dataclass
class Trouble:
    """What went wrong while decoding one stream.

    Attributes:
        n_corrupt: packets and frames that are damaged.
        is_truncated: the damage reaches to the end, or the file stops in the middle.
        is_joined: times start again on the way.
    """

    n_corrupt: int = 0
    is_truncated: bool = False
    is_joined: bool = False
    _n_at_tail: int = 0
    _has_ended: bool = False

    def note_damage(self) -> None:
        """Count one packet that did not decode; whether it is the tail shows later."""
        self._n_at_tail += 1

    def note_good(self) -> None:
        """A later packet decoded, so the damage so far was no tail."""
        self.n_corrupt += self._n_at_tail
        self._n_at_tail = 0

    def note_end(self) -> None:
        """The stream is over: damage that nothing followed is a truncated file."""
        self._has_ended = True
        self.is_truncated = self.is_truncated or self._n_at_tail > 0

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags a reader should see."""
        found = {
            "corrupt": self.n_corrupt > 0 or (self._n_at_tail > 0 and not self._has_ended),
            "truncated": self.is_truncated,
            "joined": self.is_joined,
        }
        return tuple(name for name, is_so in found.items() if is_so)


@contextmanager
def opened(path: Path | str) -> Iterator[InputContainer]:
    """Open a media file for reading, and close it whatever happens.

    Raises:
        MediaError: it is missing, a folder, empty, or holds neither picture nor sound.
    """
    path = Path(path)
    container = open_container(path)
    with container:
        if picture_stream(container) is None and sound_stream(container) is None:
            raise MediaError(
                f"{path} holds neither a picture nor sound that can be decoded",
                "Give a video or sound file.",
            )
        yield container


def picture_stream(container: InputContainer) -> VideoStream | None:
    """Return the moving picture: no cover picture, and with a decoder; None without one."""
    best = container.streams.best("video")
    for stream in ([best] if best is not None else []) + list(container.streams.video):
        # A file may hold a codec that this FFmpeg cannot decode: then there is no context.
        if not stream.disposition & _STILL and stream.codec_context is not None:
            return stream  # type: ignore[return-value]
    return None


def the_picture(container: InputContainer) -> VideoStream:
    """Return the moving picture; raise `MediaError` where there is none."""
    stream = picture_stream(container)
    if stream is None:
        raise MediaError(f"{container.name} has no picture", "Only its sound can be used.")
    return stream


def sound_stream(container: InputContainer) -> AudioStream | None:
    """Return the sound that a player would choose; None without one."""
    best: Any = container.streams.best("audio")
    if best is None or best.codec_context is None or not best.codec_context.sample_rate:
        return None  # nothing there, no decoder, or a header without sound behind it
    stream: AudioStream = best
    return stream


def the_sound(container: InputContainer) -> AudioStream:
    """Return the sound; raise `MediaError` where there is none."""
    stream = sound_stream(container)
    if stream is None:
        raise MediaError(f"{container.name} has no sound", "Only its picture can be used.")
    return stream


def origin_of(container: InputContainer) -> Fraction:
    """Return the file's one origin in seconds: ``container.start_time``, made exact.

    FFmpeg rounds it to a microsecond. The stream that begins there says the exact time,
    which matters where a frame lies exactly on the edge between two samples.
    """
    streams = (picture_stream(container), sound_stream(container))
    starts = [begin for stream in streams if (begin := _start(stream)) is not None]
    stated: int | None = container.start_time  # PyAV's types say it is never missing
    if stated is None:
        return min(starts, default=Fraction(0))
    rounded = stated * _MICROSECOND
    nearest = min(starts, key=lambda begin: abs(begin - rounded), default=rounded)
    return nearest if abs(nearest - rounded) <= _MICROSECOND else rounded


def _start(stream: VideoStream | AudioStream | None) -> Fraction | None:
    if stream is None or stream.start_time is None or stream.time_base is None:
        return None
    return stream.start_time * stream.time_base


def packets(
    container: InputContainer, trouble: Trouble, *streams: VideoStream | AudioStream
) -> Iterator[StreamPacket]:
    """Yield the packets of some streams; a file that stops in the middle just ends.

    Where times start again on the way, each part follows the one before.
    """
    if not can_be_joined(container):
        yield from _demuxed(container, trouble, *streams)
        return
    joins, wanted = Joins(), {stream.index for stream in streams}
    both = (picture_stream(container), sound_stream(container))
    for packet in _demuxed(container, trouble, *(stream for stream in both if stream is not None)):
        joins.shift(packet)
        trouble.is_joined = joins.has_any
        if packet.stream.index in wanted:
            yield packet


def _demuxed(
    container: InputContainer, trouble: Trouble, *streams: VideoStream | AudioStream
) -> Iterator[StreamPacket]:
    demuxed = container.demux(*streams)
    while True:
        give_sign()
        try:
            packet = next(demuxed)
        except StopIteration:
            return
        except (av.FFmpegError, OSError):
            trouble.is_truncated = True
            return
        if packet.size > 0 or packet.dts is not None:  # else the end mark: see `flushed`
            yield packet


def unpacked(packet: StreamPacket, trouble: Trouble) -> Iterator[Any]:
    """Decode one packet, of picture or sound; damage is counted, and the rest kept."""
    try:
        frames = packet.decode()
    except (av.FFmpegError, ValueError):
        trouble.note_damage()
        return
    if packet.is_corrupt or any(frame.is_corrupt for frame in frames):
        trouble.note_damage()
    else:
        trouble.note_good()
    yield from frames


def flushed(stream: VideoStream | AudioStream, trouble: Trouble) -> Iterator[Any]:
    """Yield the frames that the decoder still holds at the end of a stream."""
    trouble.note_end()
    try:
        frames = stream.codec_context.decode(None)
    except (av.FFmpegError, ValueError):
        return
    for frame in frames:
        frame.time_base = stream.time_base  # PyAV takes it from the packet, and here is none
        yield frame


@overload
def decoded(
    container: InputContainer, stream: VideoStream, trouble: Trouble
) -> Iterator[VideoFrame]: ...
@overload
def decoded(
    container: InputContainer, stream: AudioStream, trouble: Trouble
) -> Iterator[AudioFrame]: ...
def decoded(
    container: InputContainer, stream: VideoStream | AudioStream, trouble: Trouble
) -> Iterator[Any]:
    """Yield a stream's frames in decode order, past damaged packets, to where it breaks off.

    Args:
        container: freshly opened, or sought.
        stream: one of its streams.
        trouble: told what goes wrong.
    """
    use_one_thread(stream)
    end = None
    for packet in packets(container, trouble, stream):
        begin = packet.pts if packet.pts is not None else packet.dts
        end = None if begin is None else begin + (packet.duration or 0)
        yield from unpacked(packet, trouble)
    yield from flushed(stream, trouble)
    trouble.is_truncated = trouble.is_truncated or _falls_short(stream, end)


def _falls_short(stream: VideoStream | AudioStream, end: int | None) -> bool:
    """Say whether a stream's last packet comes well before the end that the file states."""
    if end is None or stream.duration is None or stream.time_base is None:
        return False
    missing = (stream.start_time or 0) + stream.duration - end
    return missing * stream.time_base > _SHORT_OF_END


def use_one_thread(stream: VideoStream | AudioStream) -> None:
    """Decode in this thread: threaded decoders deadlock in forked and dying workers."""
    stream.codec_context.thread_count = 1
