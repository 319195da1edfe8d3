"""A video file made of arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
from av import AudioFrame, AudioStream
from numpy.typing import NDArray

from avloc.errors import UsageError
from avloc.media.media_file import StreamPacket
from avloc.media.picture import Picture
from avloc.media.picture_encoder import AAC_RATES, PictureEncoder, open_output

_BLOCK = 4096  # samples handed to the sound encoder at a time


def write_clip(
    target: Path | str,
    frames: Iterable[Picture],
    rate: int | Fraction,
    sound: NDArray[np.float32] | None,
    sound_rate: int,
) -> None:
    """Write pictures and sound as one H.264 and AAC file; the same input, the same bytes.

    Args:
        target: written in place (hand it a path of `atomic_path`); its suffix chooses the format.
        frames: (h, w, 3) uint8 RGB pictures, all of one size; odd sizes are padded to even.
        rate: pictures a second.
        sound: (n,) mono float in [-1, 1]; None for a silent film.
        sound_rate: samples a second, one that AAC knows; else `UsageError`.
    """
    rate, pictures = Fraction(rate), iter(frames)
    first = next(pictures, None)
    if first is None:
        raise UsageError("a clip needs at least one picture")
    if sound is not None and sound.ndim != 1:
        raise UsageError(f"sound must be (n,), got {sound.shape}")
    if sound is not None and sound_rate not in AAC_RATES:
        raise UsageError(f"AAC knows no {sound_rate} samples a second", "Resample to 44100.")
    with open_output(Path(target)) as container:
        # A tick of 1/numerator holds every frame time exactly.
        encoder = PictureEncoder(container, rate, Fraction(1, rate.numerator))
        blocks: Iterator[tuple[Fraction, list[StreamPacket]]] = iter(())
        if sound is not None:
            stream = container.add_stream("aac", rate=sound_rate, layout="mono")
            blocks = _encoded(stream, np.asarray(sound, np.float32), sound_rate)
        step, reached = rate.denominator, Fraction(0)
        for k, picture in enumerate(chain((first,), pictures)):
            container.mux(encoder.encode(picture, k * step, step))
            while reached <= k / rate and (block := next(blocks, None)) is not None:
                reached = block[0]
                container.mux(block[1])
        container.mux(encoder.finish())
        for _, packets in blocks:
            container.mux(packets)


def _encoded(
    stream: AudioStream, sound: NDArray[np.float32], rate: int
) -> Iterator[tuple[Fraction, list[StreamPacket]]]:
    """Yield the seconds encoded so far and the packets that are ready."""
    stream.codec_context.thread_count = 1
    for begin in range(0, len(sound), _BLOCK):
        block = np.ascontiguousarray(sound[None, begin : begin + _BLOCK])
        frame = AudioFrame.from_ndarray(block, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
        yield Fraction(begin + block.shape[1], rate), list(stream.encode(frame))
    yield Fraction(len(sound), rate), list(stream.encode(None))
