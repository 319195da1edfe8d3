"""A copy of a video with every picture painted over and the sound left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from avloc.errors import MediaError
from avloc.media.frame_clock import FrameClock, needs_rebuilt_times
from avloc.media.media_file import open_media
from avloc.media.picture import Picture, Upright
from avloc.media.picture_encoder import PictureEncoder, open_output
from avloc.media.sound_copier import SoundCopier

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


def repaint(
    source: Path | str,
    target: Path | str,
    paint: Callable[[Picture, float], Picture],
    *,
    comment: str = "",
    progress: Callable[[float], None] | None = None,
) -> None:
    """Paint every frame of a video into a new H.264 file; its sound is copied untouched.

    Every source frame keeps its time (a variable rate stays variable), counted from the
    origin. Sound is copied packet by packet when the new container plays it, else encoded
    to AAC. What is damaged is left out. Memory does not grow with the video.

    Args:
        source: the video.
        target: .mp4, .mkv or .mov; written in place: hand it a path of `atomic_path`.
        paint: given (h, w, 3) uint8 RGB upright and its seconds from the origin, returns the
            picture to show, possibly of another size. The first one sets the size of the
            video (odd ones are padded to even); later ones are scaled to it.
        comment: kept in the file, for `comment_of`.
        progress: called with the seconds reached after each frame.

    Raises:
        MediaError: the source cannot be opened, has no picture, or no frame decodes.
        OutputError: the target cannot be encoded.
    """
    source, target = Path(source), Path(target)
    is_rebuilt = needs_rebuilt_times(source)
    with open_media(source) as media:
        stream = media.require_picture()
        clock, upright = FrameClock(media, is_rebuilt), Upright()
        # A unit that holds every frame's time: the source's, or that of the made-up rate.
        unit = None if is_rebuilt else stream.time_base
        unit = unit or Fraction(1, clock.rate.numerator)
        with open_output(target, comment) as outgoing:
            encoder = PictureEncoder(outgoing, clock.rate, unit)
            sound = (
                SoundCopier(media, outgoing, target.suffix, clock.origin) if media.sound else None
            )

            def pictures() -> Iterator[VideoFrame]:
                """Yield the frames in the order of the file; the sound between is carried over."""
                for packet in media.packets(*media.streams):
                    if packet.stream.index == stream.index:
                        yield from media.decode(packet)
                    elif sound is not None:
                        sound.take(packet, is_open=encoder.is_open)
                yield from media.flush(stream)

            for shown in clock.walk(pictures()):
                picture = paint(upright.convert(shown.frame), float(shown.start))
                start, end = round(shown.start / unit), round(shown.end / unit)
                outgoing.mux(encoder.encode(picture, max(start, 0), end - start))
                if progress is not None:
                    progress(float(shown.start))
            if not encoder.is_open:
                raise MediaError(f"no frame of {source} can be decoded", "Get the file again.")
            outgoing.mux(encoder.finish())
            if sound is not None:
                sound.finish()
