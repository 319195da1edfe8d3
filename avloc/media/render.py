"""A copy of a video with every picture painted over and the sound left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from avloc.errors import MediaError
from avloc.media.clock import Clock, Shown, needs_rebuilt_times
from avloc.media.encode import PictureEncoder, writing
from avloc.media.picture import Picture, Upright
from avloc.media.sound_copy import Soundtrack
from avloc.media.streams import (
    Trouble,
    flushed,
    opened,
    packets,
    sound_stream,
    the_picture,
    unpacked,
    use_one_thread,
)

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

Paint = Callable[[Picture, float], Picture]
HEATMAP_SUFFIX = ".heatmap.mp4"
"""How the names of avloc's own heat-map videos end: they lie beside their sources."""
_MADE_BY_AVLOC = "avloc "  # how their comments begin


def render_video(
    source: Path | str,
    target: Path | str,
    paint: Paint,
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
        progress: told the seconds reached after each frame.

    Raises:
        MediaError: the source cannot be opened, has no picture, or no frame decodes.
        OutputError: the target cannot be encoded.
    """
    source, target = Path(source), Path(target)
    is_rebuilt = needs_rebuilt_times(source)
    with opened(source) as incoming:
        clock = Clock(incoming, the_picture(incoming), is_rebuilt)
        with writing(target, comment) as outgoing:
            rendering = _Rendering(incoming, outgoing, target.suffix, clock, paint, progress)
            if not rendering.run():
                raise MediaError(f"no frame of {source} can be decoded", "Get the file again.")


def comment_of(path: Path) -> str:
    """Return the comment a video file carries; empty if it has none or cannot be opened."""
    try:
        with opened(path) as container:
            return str(container.metadata.get("comment", ""))
    except MediaError:
        return ""


def is_heatmap(path: Path) -> bool:
    """Say whether a file is a heat-map video that avloc made, and not one of that name."""
    return path.name.endswith(HEATMAP_SUFFIX) and comment_of(path).startswith(_MADE_BY_AVLOC)


class _Rendering:
    """One pass over the packets of both streams, in the file's order."""

    def __init__(
        self,
        incoming: InputContainer,
        outgoing: OutputContainer,
        suffix: str,
        clock: Clock,
        paint: Paint,
        progress: Callable[[float], None] | None,
    ) -> None:
        self._stream = the_picture(incoming)
        self._incoming, self._outgoing = incoming, outgoing
        self._clock = clock
        self._upright, self._paint, self._progress = Upright(), paint, progress
        self._time_base = _time_base(self._stream, clock)
        self._encoder = PictureEncoder(outgoing, clock.rate, self._time_base)
        sound = sound_stream(incoming)
        self._sound = None if sound is None else Soundtrack(sound, outgoing, suffix, clock.origin)

    def run(self) -> bool:
        """Do it; say whether there was any picture."""
        trouble = Trouble()
        use_one_thread(self._stream)
        streams = [self._stream] + ([self._sound.source] if self._sound else [])
        for packet in packets(self._incoming, trouble, *streams):
            if packet.stream.index == self._stream.index:
                self._show(unpacked(packet, trouble))
            elif self._sound is not None:
                self._sound.take(packet, is_open=self._encoder.is_open)
        self._show(flushed(self._stream, trouble))
        self._encode(self._clock.rest())
        if not self._encoder.is_open:
            return False
        self._outgoing.mux(self._encoder.finish())
        if self._sound is not None:
            self._sound.finish()
        return True

    def _show(self, frames: Iterable[VideoFrame]) -> None:
        for frame in frames:
            self._encode(self._clock.take(frame))

    def _encode(self, frames: Iterable[Shown]) -> None:
        for shown in frames:
            picture = self._paint(self._upright(shown.frame), float(shown.start))
            self._outgoing.mux(self._encoder.encode(picture, *self._ticks(shown)))
            if self._progress is not None:
                self._progress(float(shown.start))

    def _ticks(self, shown: Shown) -> tuple[int, int]:
        begin, end = (round(time / self._time_base) for time in (shown.start, shown.end))
        return max(begin, 0), end - begin


def _time_base(stream: VideoStream, clock: Clock) -> Fraction:
    """Return a unit that holds every frame's time: the source's own, or the made-up rate's."""
    if clock.is_rebuilt or stream.time_base is None:
        return Fraction(1, clock.rate.numerator)
    return stream.time_base
