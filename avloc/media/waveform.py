"""A file's sound as one mono waveform on the common clock."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from avloc.media.probe import MediaInfo
from avloc.media.streams import Trouble, decoded, opened, origin_of, sound_stream

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

# Full scale and silence of the integer sample formats, packed or planar.
_SCALES: dict[str, tuple[float, float]] = {
    "u8": (2.0**7, 2.0**7),
    "s16": (2.0**15, 0.0),
    "s32": (2.0**31, 0.0),
    "s64": (2.0**63, 0.0),
}
_FIRST_SECONDS = 3600  # what a stated length is believed for at most; the rest grows
_LONGEST_GAP = 3600  # seconds; beyond it is a broken clock, not a silence to be filled


@dataclass(frozen=True)
class Waveform:
    """Mono sound from the file's origin on.

    Attributes:
        samples: (n,) float32 in [-1, 1], the arithmetic mean over the channels, zero before
            the sound begins and in its gaps.
        rate: samples a second, the file's own.
        is_valid_until: seconds at which the real sound ends, and
        flags: ``late_audio``, ``audio_gap``, ``audio_rate_changed``, ``no_sound``,
            ``corrupt``, ``truncated``.
        is_valid_from: seconds at which it begins.
    """

    samples: NDArray[np.float32]
    rate: int
    is_valid_until: float
    flags: tuple[str, ...]
    is_valid_from: float = 0.0


def read_waveform(path: Path | str, info: MediaInfo | None = None) -> Waveform | None:
    """Read a file's sound at its own rate, mixed to mono by the arithmetic mean.

    The mean is taken here and not by FFmpeg's resampler, whose mono has a gain of 1.41 on
    stereo and 3.41 on 5.1 against it (docs: extraction, 4).

    Args:
        path: the file.
        info: what `probe` said of it, if known: spares looking again.

    Returns:
        The waveform, or None when the file has no sound stream. A stream in which nothing
        decodes gives an empty waveform flagged ``no_sound``.

    Raises:
        MediaError: the file cannot be opened.
    """
    path = Path(path)
    if info is not None and not info.has_audio:
        return None
    trouble = Trouble()
    with opened(path) as container:
        stream = sound_stream(container)
        if stream is None:
            return None
        rate = stream.codec_context.sample_rate
        track = _Track(rate, origin_of(container), _expected(container.duration, rate))
        for frame in decoded(container, stream, trouble):
            track.add(frame)
    track.flags += trouble.flags
    return track.waveform()


def _expected(duration: int | None, rate: int) -> int:
    seconds = 60.0 if duration is None else duration / 1_000_000 + 1
    return int(min(max(seconds, 1.0), _FIRST_SECONDS) * rate)


class _Track:
    """Mono samples put where their times say, in one array that grows when it must."""

    def __init__(self, rate: int, origin: Fraction, n_expected: int) -> None:
        self.flags: list[str] = []
        self._rate = rate
        self._origin = origin
        # Zeros cost no memory until written, so a generous guess is free.
        self._samples = np.zeros(n_expected, dtype=np.float32)
        self._end = 0
        self._begin: int | None = None
        self._n_excess = 0

    def add(self, frame: AudioFrame) -> None:
        """Put one frame down after the last, or later where a gap in time asks for it."""
        mono = self._at_rate(mean_of_channels(frame), frame.sample_rate)
        place = self._place(frame, len(mono))
        if place < 0:  # before the origin: an encoder's lead-in
            mono, place = mono[-place:], 0
        if len(mono) == 0:
            return
        self._reserve(place + len(mono))
        self._samples[place : place + len(mono)] = mono
        self._begin = place if self._begin is None else self._begin
        self._end = place + len(mono)
        self._n_excess = self._excess(frame)

    def waveform(self) -> Waveform:
        """Return what was put down."""
        begin = self._begin if self._begin is not None else 0
        if self._begin is None:
            self.flags.append("no_sound")
        end = max(self._end - self._n_excess, begin)
        samples, until, start = self._samples[:end], end / self._rate, begin / self._rate
        return Waveform(samples, self._rate, until, tuple(dict.fromkeys(self.flags)), start)

    def _place(self, frame: AudioFrame, n_samples: int) -> int:
        """Return the sample a frame begins at.

        Times are coarse in some containers (a millisecond in Matroska), so they are
        believed only where they differ by more than a frame from plain continuation.
        """
        if frame.pts is None or frame.time_base is None:
            return self._end
        stated = round((frame.pts * frame.time_base - self._origin) * self._rate)
        is_first, n_late = self._begin is None, stated - self._end
        if n_samples < n_late < _LONGEST_GAP * self._rate:
            self.flags.append("late_audio" if is_first else "audio_gap")
            return stated
        return stated if is_first and n_late <= n_samples else self._end

    def _excess(self, frame: AudioFrame) -> int:
        """Return how many samples of a frame lie past its stated length.

        Encoders fill their last frame up with silence, and MP4 says so only by a shorter
        length. Coarser clocks than the sample rate say nothing so exact.
        """
        if not frame.duration or frame.time_base != Fraction(1, self._rate):
            return 0
        return max(frame.samples - frame.duration, 0)

    def _at_rate(self, mono: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
        """Keep the clock right when a broadcast changes its rate in the middle."""
        if rate == self._rate:
            return mono
        self.flags.append("audio_rate_changed")
        n_samples = round(len(mono) * self._rate / rate)
        at = np.arange(n_samples) * (rate / self._rate)
        return np.asarray(np.interp(at, np.arange(len(mono)), mono), dtype=np.float32)

    def _reserve(self, n_samples: int) -> None:
        if n_samples > len(self._samples):
            grown = np.zeros(max(n_samples, len(self._samples) * 3 // 2), dtype=np.float32)
            grown[: self._end] = self._samples[: self._end]
            self._samples = grown


def mean_of_channels(frame: AudioFrame) -> NDArray[np.float32]:
    """Return (n,): the arithmetic mean over a frame's channels, scaled to [-1, 1]."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    scale, silence = _SCALES.get(frame.format.packed.name, (1.0, 0.0))
    mean = samples.mean(axis=0, dtype=np.float64)
    return np.asarray((mean - silence) / scale, dtype=np.float32)
