"""A file's sound as mono samples on the common clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from avloc.media.probe import MediaInfo
from avloc.media.streams import Trouble, decoded, opened, origin_of, sound_stream, the_sound

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

Samples = NDArray[np.float32]

# Full scale and silence of the integer sample formats, packed or planar.
_SCALES: dict[str, tuple[float, float]] = {
    "u8": (2.0**7, 2.0**7),
    "s16": (2.0**15, 0.0),
    "s32": (2.0**31, 0.0),
    "s64": (2.0**63, 0.0),
}
_LONGEST_GAP = 3600  # seconds; beyond it is a broken clock, not a silence to be filled
_MOST_SILENCE = 60  # seconds in one piece


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
    """Read a file's sound whole; see `SoundTrack`.

    Args:
        path: the file.
        info: what `probe` said of it, if known: spares looking again.

    Returns:
        The waveform, or None when the file has no sound stream. A stream in which nothing
        decodes gives an empty waveform flagged ``no_sound``.

    Raises:
        MediaError: the file cannot be opened.
    """
    if info is not None and not info.has_audio:
        return None
    with opened(path) as container:
        if sound_stream(container) is None:
            return None
    track = SoundTrack(path)
    samples = np.concatenate([np.zeros(0, np.float32), *track])
    return Waveform(samples, track.rate, track.is_valid_until, track.flags, track.is_valid_from)


class SoundTrack:
    """A file's sound at its own rate, mixed to mono by the arithmetic mean, as it decodes.

    The mean is taken here and not by FFmpeg's resampler, whose mono has a gain of 1.41 on
    stereo and 3.41 on 5.1 against it (docs: extraction, 4).

    Iterating gives (n,) float32 pieces in [-1, 1], one after the other from the file's origin
    on, zero before the sound begins and in its gaps; no piece is longer than a minute.

    Args:
        path: a file with sound.

    Attributes:
        rate: samples a second.
        is_valid_from: seconds at which the real sound begins, once a piece has come, and
        is_valid_until: to which it is known so far; exact once all pieces have come, as are
        flags: ``late_audio``, ``audio_gap``, ``audio_rate_changed``, ``no_sound``,
            ``corrupt``, ``truncated``.

    Raises:
        MediaError: the file cannot be opened, or has no sound.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = path
        with opened(path) as container:
            self.rate: int = the_sound(container).codec_context.sample_rate
        self._placing = Placing(self.rate)
        self._flags: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Samples]:
        """Decode from the beginning."""
        trouble = Trouble()
        with opened(self._path) as container:
            self._placing = placing = Placing(self.rate, origin_of(container))
            for frame in decoded(container, the_sound(container), trouble):
                yield from placing.add(frame)
            yield from placing.rest()
        self._flags = trouble.flags

    @property
    def is_valid_from(self) -> float:
        """Seconds at which the real sound begins."""
        return (self._placing.begin or 0) / self.rate

    @property
    def is_valid_until(self) -> float:
        """Seconds at which it ends, as far as is known."""
        return self._placing.end / self.rate

    @property
    def flags(self) -> tuple[str, ...]:
        """What a reader should know."""
        nothing = ("no_sound",) if self._placing.begin is None else ()
        return tuple(dict.fromkeys([*self._placing.flags, *nothing, *self._flags]))


class Placing:
    """Puts mono samples where their times say, one piece after the other.

    Args:
        rate: samples a second.
        origin: the time, in the file's own clock, of sample 0.
    """

    def __init__(self, rate: int, origin: Fraction = Fraction(0)) -> None:
        self.flags: list[str] = []
        self.begin: int | None = None
        self.end = 0
        self._rate = rate
        self._origin = origin
        self._held: Samples = np.zeros(0, np.float32)
        self._n_excess = 0

    def add(self, frame: AudioFrame) -> Iterator[Samples]:
        """Yield what comes before a frame: it is held back, for it may be the last."""
        mono = self._at_rate(mean_of_channels(frame), frame.sample_rate)
        place = self._place(frame, len(mono))
        if place < 0:  # before the origin: an encoder's lead-in
            mono, place = mono[-place:], 0
        if len(mono) == 0:
            return
        before, n_silent = self._held, place - self.end
        self.begin = place if self.begin is None else self.begin
        self.end = place + len(mono)
        self._held, self._n_excess = mono, self._excess(frame)
        yield before
        yield from _silence(n_silent, self._rate)

    def rest(self) -> Iterator[Samples]:
        """Yield the last frame, without what its encoder filled it up with."""
        n_kept = max(len(self._held) - self._n_excess, 0)
        self.end -= len(self._held) - n_kept
        yield self._held[:n_kept]

    def _place(self, frame: AudioFrame, n_samples: int) -> int:
        """Return the sample a frame begins at.

        Times are coarse in some containers (a millisecond in Matroska), so they are
        believed only where they differ by more than a frame from plain continuation.
        """
        if frame.pts is None or frame.time_base is None:
            return self.end
        stated = round((frame.pts * frame.time_base - self._origin) * self._rate)
        is_first, n_late = self.begin is None, stated - self.end
        if n_samples < n_late < _LONGEST_GAP * self._rate:
            self.flags.append("late_audio" if is_first else "audio_gap")
            return stated
        return stated if is_first and n_late <= n_samples else self.end

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


def _silence(n_samples: int, rate: int) -> Iterator[Samples]:
    for first in range(0, n_samples, _MOST_SILENCE * rate):
        yield np.zeros(min(n_samples - first, _MOST_SILENCE * rate), np.float32)


def mean_of_channels(frame: AudioFrame) -> NDArray[np.float32]:
    """Return (n,): the arithmetic mean over a frame's channels, scaled to [-1, 1]."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    scale, silence = _SCALES.get(frame.format.packed.name, (1.0, 0.0))
    mean = samples.mean(axis=0, dtype=np.float64)
    return np.asarray((mean - silence) / scale, dtype=np.float32)
