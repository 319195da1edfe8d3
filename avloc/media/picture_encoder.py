"""H.264 pictures with exact times; the same bytes on any number of cores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av import VideoFrame, VideoStream
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from avloc.errors import OutputError
from avloc.media.media_file import StreamPacket
from avloc.media.picture import Picture

# The bytes depend on the number of threads, so it is the same on any number of cores.
N_THREADS = 4
# No macroblock tree: with B-frames, x264's assembly for it reads memory that nobody wrote, and
# the bytes differ from run to run. At the same quality files are 14 % larger without it.
X264_OPTIONS = {"crf": "23", "preset": "veryfast", "mbtree": "0"}
AAC_RATES = frozenset(
    (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
)
CONTAINERS = (".mp4", ".m4v", ".mov", ".mkv")  # those that hold both codecs
_BT709 = 1  # ISO/IEC 23091-2, for primaries, transfer and matrix alike


@contextmanager
def open_output(target: Path, comment: str = "") -> Iterator[OutputContainer]:
    """Open a container for writing, its format chosen by the suffix.

    `OutputError` if it cannot be encoded; the disk's `OSError` is left to `atomic_path`.
    """
    suffix = target.suffix.lower()
    if suffix not in CONTAINERS:
        raise OutputError(
            f"{target} cannot be written: {suffix or 'no suffix'!r} names no video container",
            f"Choose one of {', '.join(CONTAINERS)}.",
        )
    # The index at the front: a browser can play it while it loads.
    options = {} if suffix == ".mkv" else {"movflags": "+faststart"}
    try:
        with av.open(str(target), mode="w", options=options) as container:
            if comment:
                container.metadata["comment"] = comment
            yield container
    except av.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        reason = error.strerror or str(error)
        raise OutputError(
            f"{target} cannot be encoded: {reason}", "Try another container."
        ) from error


class PictureEncoder:
    """Adds an H.264 stream to a container and encodes pictures with exact times for it.

    The first picture sets the size, padded to even; later ones are scaled to it. The rate only
    controls how the encoder spends bits; times are in units of ``time_base`` seconds.
    """

    def __init__(self, container: OutputContainer, rate: Fraction, time_base: Fraction) -> None:
        self.is_open = False  # until the first picture: only then can the header be written
        self._stream: VideoStream = container.add_stream(
            "libx264", rate=rate.limit_denominator(60_000), options=dict(X264_OPTIONS)
        )
        self._time_base = time_base
        self._reformatter = VideoReformatter()
        self._durations: dict[int, int] = {}
        self._last = -1

    def encode(self, picture: Picture, ticks: int, duration: int) -> list[StreamPacket]:
        """Return the packets that are ready after one more picture, (h, w, 3) uint8 RGB."""
        height, width = picture.shape[:2]
        if height % 2 or width % 2:  # chroma is stored at half size, so H.264 takes no odd sizes
            picture = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        if not self.is_open:
            self._open(*picture.shape[:2])
        frame = self._reformatter.reformat(
            VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24"),
            width=self._stream.codec_context.width,
            height=self._stream.codec_context.height,
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        self._last = max(ticks, self._last + 1)
        self._durations[self._last] = max(duration, 1)
        frame.pts, frame.time_base = self._last, self._time_base
        return self._with_durations(self._stream.encode(frame))

    def finish(self) -> list[StreamPacket]:
        """Return what the encoder still holds."""
        return self._with_durations(self._stream.encode(None))

    def _open(self, height: int, width: int) -> None:
        context = self._stream.codec_context
        context.height, context.width = height, width
        context.pix_fmt = "yuv420p"
        context.time_base = self._time_base
        context.thread_count = N_THREADS
        # Stated, or players guess by the picture's size and shift the colours.
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = ColorRange.MPEG
        self.is_open = True

    def _with_durations(self, packets: list[StreamPacket]) -> list[StreamPacket]:
        for packet in packets:  # the encoder only knows a constant rate
            if packet.pts in self._durations:
                packet.duration = self._durations.pop(packet.pts)
        return packets
