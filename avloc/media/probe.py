"""What a media file holds, without decoding it whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avloc.errors import MediaError
from avloc.media.clock import N_LOOKED_AT, are_times_wrong, frame_rate
from avloc.media.length import length_of
from avloc.media.picture import quarter_turns
from avloc.media.streams import (
    Trouble,
    flushed,
    opened,
    origin_of,
    packets,
    picture_stream,
    sound_stream,
    unpacked,
    use_one_thread,
)

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from avloc.media.streams import StreamPacket

_HDR_TRANSFERS = (16, 18)  # PQ and HLG in ISO/IEC 23091-2
_MOST_HELD = 2000  # packets, while looking at the picture's times: sound may come long before it
_BITS = 8  # a colour, in the arrays that come out
_ODDEST_ASPECT = 4  # of a pixel; beyond it, a file that lies
_LOW_SIDE = 48  # pixels; a matter of taste, where a network takes 224


@dataclass(frozen=True)
class MediaInfo:
    """What a media file holds.

    Attributes:
        path: the file.
        duration: seconds from the origin to the end of the longer stream, as the container
            states it (a file cut off in the middle still states its whole length), measured
            where it does not, or states far more than the file holds.
        origin: the time, in the file's own clock, that is 0 s here.
        has_video: it has a moving picture (a cover picture is none) of which a frame decodes.
        has_audio: it has sound of which something decodes.
        frame_size: (width, height) in pixels as shown, after rotation; None without a picture.
        shown_size: the same where every pixel is square: what a player makes of it.
        average_rate: frames a second; None without a picture.
        audio_rate: samples a second; None without sound.
        n_channels: of the sound; None without sound.
        rotation: degrees counter-clockwise that make the picture upright: 0, 90, 180, 270.
        flags: what shows without decoding it whole (see `avloc.media.flags`): ``no_video``,
            ``no_frame``, ``no_audio``, ``no_sound``, ``wrong_length``, ``pts_rebuilt``,
            ``rotated``, ``portrait``, ``non_square_pixels``, ``low_resolution``,
            ``high_bit_depth``, ``hdr``.
    """

    path: Path
    duration: Fraction
    origin: Fraction
    has_video: bool
    has_audio: bool
    frame_size: tuple[int, int] | None
    shown_size: tuple[int, int] | None
    average_rate: Fraction | None
    audio_rate: int | None
    n_channels: int | None
    rotation: int
    flags: tuple[str, ...]


def probe(path: Path | str) -> MediaInfo:
    """Look into a media file; decodes one frame a stream, or a few where times look wrong.

    Raises:
        MediaError: it cannot be opened, holds neither picture nor sound, or nothing in it
            decodes (a length of zero, damage from beginning to end).
    """
    path = Path(path)
    with opened(path) as container:
        stated = picture_stream(container), sound_stream(container)
        coming = packets(container, Trouble(), *(stream for stream in stated if stream is not None))
        begin = list(_beginning(coming, stated[0]))
        is_rebuilt = stated[0] is not None and are_times_wrong(
            path, container, stated[0], (p for p in begin if p.stream.index == stated[0].index)
        )
        frame, is_heard = _first_decoded(chain(begin, coming), *stated)
        picture = stated[0] if frame is not None else None
        sound = stated[1] if is_heard else None
        if picture is None and sound is None:
            reason = f"{path} has no frame and no sound that can be decoded"
            raise MediaError(reason, "It is empty or damaged throughout: leave it out.")
        length = length_of(path, container, is_rebuilt=is_rebuilt)
        return MediaInfo(
            path=path,
            duration=length.seconds,
            origin=origin_of(container),
            has_video=picture is not None,
            has_audio=sound is not None,
            frame_size=None if frame is None else _shown_size(frame),
            shown_size=None if picture is None or frame is None else _square_pixels(picture, frame),
            average_rate=None if picture is None else frame_rate(picture),
            audio_rate=None if sound is None else sound.codec_context.sample_rate,
            n_channels=None if sound is None else sound.codec_context.channels,
            rotation=0 if frame is None else quarter_turns(frame.rotation) * 90,
            flags=(
                *_absences(stated, has_video=picture is not None, has_audio=sound is not None),
                *(("wrong_length",) if length.is_corrected else ()),
                *(("pts_rebuilt",) if picture is not None and is_rebuilt else ()),
                *(() if picture is None or frame is None else _oddities(picture, frame)),
            ),
        )


def _beginning(
    coming: Iterable[StreamPacket], picture: VideoStream | None
) -> Iterator[StreamPacket]:
    """Yield packets to the picture's first few, or as many of all as are held for that."""
    n_pictures = 0
    for packet in islice(coming, 0 if picture is None else _MOST_HELD):
        yield packet
        n_pictures += picture is not None and packet.stream.index == picture.index
        if n_pictures == N_LOOKED_AT:
            return


def _first_decoded(
    coming: Iterable[StreamPacket], picture: VideoStream | None, sound: AudioStream | None
) -> tuple[VideoFrame | None, bool]:
    """Return the first frame of the picture, and whether anything of the sound decodes.

    Stops where both are known, so it reads to the end only where one of them has nothing.
    """
    found: dict[int, Any] = {}
    streams = [stream for stream in (picture, sound) if stream is not None]
    trouble = Trouble()
    for stream in streams:
        use_one_thread(stream)
    for packet in coming:
        if packet.stream.index not in found:
            for frame in unpacked(packet, trouble):
                found.setdefault(packet.stream.index, frame)
        if len(found) == len(streams):
            break
    for stream in streams:
        if stream.index not in found:  # a decoder may hold back all there is until the end
            for frame in flushed(stream, trouble):
                found.setdefault(stream.index, frame)
    first = None if picture is None else found.get(picture.index)
    return first, sound is not None and sound.index in found


def _shown_size(frame: VideoFrame) -> tuple[int, int]:
    is_turned = quarter_turns(frame.rotation) % 2 == 1
    return (frame.height, frame.width) if is_turned else (frame.width, frame.height)


def _square_pixels(picture: VideoStream, frame: VideoFrame) -> tuple[int, int]:
    """Return the size that keeps the picture's aspect and every one of its pixels."""
    width, height = _shown_size(frame)
    aspect = Fraction(picture.sample_aspect_ratio or 1)  # a pixel's width by its height
    if not 1 / _ODDEST_ASPECT <= aspect <= _ODDEST_ASPECT:
        return width, height
    if quarter_turns(frame.rotation) % 2 == 1:
        aspect = 1 / aspect
    if aspect > 1:
        return round(width * aspect), height
    return width, round(height / aspect)


def _absences(
    stated: tuple[VideoStream | None, AudioStream | None], *, has_video: bool, has_audio: bool
) -> Iterator[str]:
    picture, sound = stated
    found = {
        "no_video": not has_video,
        "no_frame": picture is not None and not has_video,
        "no_audio": not has_audio,
        "no_sound": sound is not None and not has_audio,
    }
    return (name for name, is_so in found.items() if is_so)


def _oddities(picture: VideoStream, frame: VideoFrame) -> Iterator[str]:
    width, height = _shown_size(frame)
    context = picture.codec_context
    found = {
        "rotated": quarter_turns(frame.rotation) != 0,
        "portrait": height > width,
        "non_square_pixels": context.sample_aspect_ratio not in (None, 0, 1),
        "low_resolution": min(width, height) < _LOW_SIDE,
        "high_bit_depth": any(part.bits > _BITS for part in frame.format.components),
        "hdr": context.color_trc in _HDR_TRANSFERS,
    }
    return (name for name, is_so in found.items() if is_so)
