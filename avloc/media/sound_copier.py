"""The sound of one file carried into another: copied if it can be, else encoded anew."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from avloc.media.picture_encoder import AAC_RATES

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.container import OutputContainer

    from avloc.media.media_file import MediaFile, StreamPacket

# MP4 can name more codecs than players can play in it.
_PLAYS_IN_MP4 = frozenset(("aac", "mp3", "ac3", "eac3", "opus", "alac"))


class SoundCopier:
    """Carries the sound's packets of one file into a container that is being written.

    Args:
        media: the file they come from.
        outgoing: open for writing; nothing is written to it before its picture is open.
        suffix: of the file being written.
        origin: seconds taken off every time.
    """

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
        """Carry a packet, or keep it until the picture is open and the header written."""
        self._waiting.append(packet)
        if is_open:
            self._carry_waiting()

    def finish(self) -> None:
        """Carry what is left."""
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
