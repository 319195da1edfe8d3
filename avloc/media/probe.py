"""What a media file holds, without decoding it whole."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from avloc.media.clock import frame_rate, needs_rebuilt_times
from avloc.media.picture import quarter_turns
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
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_HDR_TRANSFERS = (16, 18)  # PQ and HLG in ISO/IEC 23091-2


@dataclass(frozen=True)
class MediaInfo:
    """What a media file holds.

    Attributes:
        path: the file.
        duration: seconds from the origin to the end of the longer stream, as the container
            states it: a file cut off in the middle still states its whole length.
        origin: the time, in the file's own clock, that is 0 s here.
        has_video: it has a moving picture (a cover picture is none).
        has_audio: it has sound.
        frame_size: (width, height) in pixels as shown, after rotation; None without a picture.
        average_rate: frames a second; None without a picture.
        audio_rate: samples a second; None without sound.
        n_channels: of the sound; None without sound.
        rotation: degrees counter-clockwise that make the picture upright: 0, 90, 180, 270.
        flags: ``no_video``, ``no_audio``, ``rotated``, ``pts_rebuilt``, ``hdr``,
            ``non_square_pixels``.
    """

    path: Path
    duration: Fraction
    origin: Fraction
    has_video: bool
    has_audio: bool
    frame_size: tuple[int, int] | None
    average_rate: Fraction | None
    audio_rate: int | None
    n_channels: int | None
    rotation: int
    flags: tuple[str, ...]


def probe(path: Path | str) -> MediaInfo:
    """Look into a media file; decodes one frame at most, or a few where times look wrong.

    Raises:
        MediaError: it cannot be opened, or holds neither picture nor sound.
    """
    path = Path(path)
    is_rebuilt = needs_rebuilt_times(path)
    with opened(path) as container:
        picture, sound = picture_stream(container), sound_stream(container)
        duration = _duration(container, picture, sound, is_rebuilt)
        origin = origin_of(container)
        frame = None if picture is None else _first_frame(container, picture)
        rotation = 0 if frame is None else quarter_turns(frame.rotation) * 90
        return MediaInfo(
            path=path,
            duration=duration if duration is not None else _counted(path),
            origin=origin,
            has_video=picture is not None,
            has_audio=sound is not None,
            frame_size=None if picture is None else _shown_size(picture, frame, rotation),
            average_rate=None if picture is None else frame_rate(picture),
            audio_rate=None if sound is None else sound.codec_context.sample_rate,
            n_channels=None if sound is None else sound.codec_context.channels,
            rotation=rotation,
            flags=_flags(picture, sound, rotation, is_rebuilt),
        )


def _duration(
    container: InputContainer,
    picture: VideoStream | None,
    sound: AudioStream | None,
    is_rebuilt: bool,
) -> Fraction | None:
    """Return the end of the longer stream minus the origin; None when nothing says it."""
    origin, ends = origin_of(container), []
    for stream in (picture, sound):
        if stream is None:
            continue
        if stream.duration is None or stream.time_base is None:
            # Matroska states one length for the whole file only.
            total = container.duration
            return None if total is None else Fraction(total, 1_000_000)
        begin = stream.start_time * stream.time_base if stream.start_time is not None else origin
        ends.append(begin + stream.duration * stream.time_base)
    return max(ends) - origin


def _counted(path: Path) -> Fraction:
    """Return the length of a file that states none: the frames of its picture, or its sound."""
    with opened(path) as container:
        picture, sound = picture_stream(container), sound_stream(container)
        if picture is not None:
            n_frames = sum(1 for _ in packets(container, Trouble(), picture))
            return n_frames / frame_rate(picture)
        assert sound is not None  # `opened` refuses files with neither
        n_samples = sum(frame.samples for frame in decoded(container, sound, Trouble()))
        return Fraction(n_samples, sound.codec_context.sample_rate)


def _first_frame(container: InputContainer, stream: VideoStream) -> VideoFrame | None:
    return next(islice(decoded(container, stream, Trouble()), 1), None)


def _shown_size(
    stream: VideoStream, frame: VideoFrame | None, rotation: int
) -> tuple[int, int] | None:
    source = frame if frame is not None else stream.codec_context
    if not source.width or not source.height:
        return None
    is_turned = rotation % 180 == 90
    return (source.height, source.width) if is_turned else (source.width, source.height)


def _flags(
    picture: VideoStream | None, sound: AudioStream | None, rotation: int, is_rebuilt: bool
) -> tuple[str, ...]:
    context = picture.codec_context if picture is not None else None
    aspect = context.sample_aspect_ratio if context is not None else None
    found = {
        "no_video": picture is None,
        "no_audio": sound is None,
        "rotated": rotation != 0,
        "pts_rebuilt": is_rebuilt,
        "hdr": context is not None and context.color_trc in _HDR_TRANSFERS,
        "non_square_pixels": aspect is not None and aspect not in (0, 1),
    }
    return tuple(name for name, is_so in found.items() if is_so)
