"""A copy of a video with every picture painted over and the sound left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from av import AudioFrame, VideoFrame
from av.container import OutputContainer

from avloc.errors import MediaError
from avloc.media.frame_clock import FrameClock, needs_rebuilt_times
from avloc.media.media_file import MediaFile, StreamPacket, open_media
from avloc.media.picture import Picture, Upright
from avloc.media.picture_encoder import AAC_RATES, PictureEncoder, open_output

# MP4 can name more codecs than players can play in it.
_PLAYS_IN_MP4 = frozenset(("aac", "mp3", "ac3", "eac3", "opus", "alac"))


def repaint(
    source: Path | str,
    target: Path | str,
    paint: Callable[[Picture, float], Picture],
    *,
    comment: str = "",
    progress: Callable[[float], None] | None = None,
) -> None:
    """Paint every frame of a video into a new H.264 file; its sound is copied untouched.

    Every frame keeps its time, counted from the origin. Sound is copied packet by packet when
    the new container plays it, else encoded to AAC. Damaged parts are left out.

    Args:
        source: the video; `MediaError` if no frame decodes.
        target: .mp4, .mkv or .mov; written in place: hand it a path of `atomic_path`.
        paint: given (h, w, 3) uint8 RGB upright and its seconds from the origin, returns the
            picture to show. The first one sets the size of the video; later ones are scaled.
        comment: stored in the file, for `comment_of`.
        progress: called with the seconds reached after each frame.
    """
    source, target = Path(source), Path(target)
    is_rebuilt = needs_rebuilt_times(source)
    with open_media(source) as media:
        stream = media.require_picture()
        clock, upright = FrameClock(media, is_rebuilt), Upright()
        # A unit that holds every frame's time: the source's, or that of the made-up rate.
        unit = (None if is_rebuilt else stream.time_base) or Fraction(1, clock.rate.numerator)
        with open_output(target, comment) as outgoing:
            encoder = PictureEncoder(outgoing, clock.rate, unit)
            sound = None
            if media.sound is not None:
                sound = _SoundCopier(media, outgoing, target.suffix, clock.origin)

            def pictures() -> Iterator[VideoFrame]:
                # In the order of the file, so that sound between the frames is carried over.
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


class _SoundCopier:
    """Carries sound packets into another file, ``origin`` seconds earlier."""

    def __init__(
        self, media: MediaFile, outgoing: OutputContainer, suffix: str, origin: Fraction
    ) -> None:
        self._media, self._outgoing, self._origin = media, outgoing, origin
        self._source = source = media.require_sound()
        self._waiting: list[StreamPacket] = []
        self._last_dts: int | None = None
        context = source.codec_context
        name = context.codec.canonical_name
        self._is_copied = name in outgoing.supported_codecs and (
            suffix.lower() == ".mkv" or name in _PLAYS_IN_MP4
        )
        if self._is_copied:
            self._stream = outgoing.add_stream_from_template(source)
        else:
            layout = "mono" if context.channels == 1 else "stereo"
            rate = context.sample_rate if context.sample_rate in AAC_RATES else 48_000
            self._stream = outgoing.add_stream("aac", rate=rate, layout=layout)

    def take(self, packet: StreamPacket, *, is_open: bool) -> None:
        self._waiting.append(packet)
        if is_open:  # the header is written
            self._carry_waiting()

    def finish(self) -> None:
        self._carry_waiting()
        if not self._is_copied:
            for frame in self._media.flush(self._source):
                self._encode(frame)
            self._outgoing.mux(self._stream.encode(None))

    def _carry_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for packet in waiting:
            if self._is_copied:
                self._copy(packet)
            else:
                for frame in self._media.decode(packet):
                    self._encode(frame)

    def _copy(self, packet: StreamPacket) -> None:
        shift = round(self._origin / packet.time_base)
        dts = packet.dts if packet.dts is not None else packet.pts
        if dts is None or (self._last_dts is not None and dts <= self._last_dts):
            return  # a damaged packet without a time, or out of order: no container takes it
        self._last_dts = dts
        packet.dts = dts - shift
        packet.pts = (packet.pts if packet.pts is not None else dts) - shift
        packet.stream = self._stream
        self._outgoing.mux(packet)

    def _encode(self, frame: AudioFrame) -> None:
        if frame.pts is not None and frame.time_base is not None:
            frame.pts -= round(self._origin / frame.time_base)
        self._outgoing.mux(self._stream.encode(frame))
