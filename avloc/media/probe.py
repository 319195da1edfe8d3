"""What a media file holds, without decoding it whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import Any

from av import VideoFrame, VideoStream

from avloc.errors import MediaError
from avloc.media.duration import duration_of
from avloc.media.frame_clock import N_LOOKED_AT, are_times_wrong
from avloc.media.media_file import MediaFile, StreamPacket, open_media
from avloc.media.picture import quarter_turns

_HDR_TRANSFERS = (16, 18)  # PQ and HLG in ISO/IEC 23091-2
_MOST_HELD = 2000  # packets, while looking at the picture's times: sound may come long before it
_BITS = 8  # a colour, in the arrays that come out
_ODDEST_ASPECT = 4  # of a pixel; a greater one is damage
_LOW_SIDE = 48  # pixels, where a network takes 224


@dataclass(frozen=True)
class MediaInfo:
    """What a media file holds."""

    duration: Fraction  # seconds from the origin to the end of the longer stream
    has_video: bool  # a frame of a moving picture decodes; a cover picture is not one
    has_audio: bool  # a piece of sound decodes
    frame_size: tuple[int, int] | None  # (width, height) in pixels, upright
    shown_size: tuple[int, int] | None  # the same where every pixel is square, as players show it
    sound_rate: int | None  # samples a second
    flags: tuple[str, ...]  # those of `avloc.media.FLAGS` that show without decoding it whole


def probe(path: Path | str) -> MediaInfo:
    """Look into a media file; decodes one frame a stream, or a few where times look wrong.

    `MediaError` if it cannot be opened or nothing in it decodes.
    """
    path = Path(path)
    with open_media(path) as media:
        picture, sound = media.picture, media.sound
        coming = media.packets(*media.streams)
        begin = list(_beginning(coming, picture))
        is_rebuilt = picture is not None and are_times_wrong(
            media, (packet for packet in begin if packet.stream.index == picture.index)
        )
        decoded = _first_decoded(media, chain(begin, coming))
        if not decoded:
            reason = f"{path} has no frame and no sound that can be decoded"
            raise MediaError(reason, "It is empty or damaged throughout: leave it out.")
        frame = None if picture is None else decoded.get(picture.index)
        has_video, has_audio = frame is not None, sound is not None and sound.index in decoded
        duration, is_corrected = duration_of(media, is_rebuilt=is_rebuilt)
        flags = {
            "no_video": not has_video,
            "no_frame": picture is not None and not has_video,
            "no_audio": not has_audio,
            "no_sound": sound is not None and not has_audio,
            "wrong_length": is_corrected,
            "pts_rebuilt": has_video and is_rebuilt,
        }
        frame_size = shown_size = None
        if picture is not None and frame is not None:
            frame_size, shown_size = _sizes(picture, frame)
            flags |= _oddities(picture, frame, frame_size)
        return MediaInfo(
            duration=duration,
            has_video=has_video,
            has_audio=has_audio,
            frame_size=frame_size,
            shown_size=shown_size,
            sound_rate=sound.codec_context.sample_rate if sound and has_audio else None,
            flags=tuple(name for name, is_so in flags.items() if is_so),
        )


def _beginning(
    coming: Iterable[StreamPacket], picture: VideoStream | None
) -> Iterator[StreamPacket]:
    # The picture's first packets, and what comes between them.
    n_pictures = 0
    for packet in islice(coming, 0 if picture is None else _MOST_HELD):
        yield packet
        n_pictures += picture is not None and packet.stream.index == picture.index
        if n_pictures == N_LOOKED_AT:
            return


def _first_decoded(media: MediaFile, coming: Iterable[StreamPacket]) -> dict[int, Any]:
    first: dict[int, Any] = {}
    for packet in coming:
        if packet.stream.index not in first and (frames := media.decode(packet)):
            first[packet.stream.index] = frames[0]
        if len(first) == len(media.streams):
            break
    for stream in media.streams:
        # A decoder may hold back everything until the end.
        if stream.index not in first and (frames := media.flush(stream)):
            first[stream.index] = frames[0]
    return first


def _sizes(picture: VideoStream, frame: VideoFrame) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the upright (width, height), and the same enlarged until pixels are square."""
    width, height = frame.width, frame.height
    aspect = Fraction(picture.sample_aspect_ratio or 1)  # a pixel's width by its height
    if not 1 / _ODDEST_ASPECT <= aspect <= _ODDEST_ASPECT:
        aspect = Fraction(1)
    if quarter_turns(frame) % 2 == 1:
        width, height, aspect = height, width, 1 / aspect
    square = (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))
    return (width, height), square


def _oddities(picture: VideoStream, frame: VideoFrame, size: tuple[int, int]) -> dict[str, bool]:
    width, height = size
    context = picture.codec_context
    return {
        "rotated": quarter_turns(frame) != 0,
        "portrait": height > width,
        "non_square_pixels": context.sample_aspect_ratio not in (None, 0, 1),
        "low_resolution": min(width, height) < _LOW_SIDE,
        "high_bit_depth": any(part.bits > _BITS for part in frame.format.components),
        "hdr": context.color_trc in _HDR_TRANSFERS,
    }
