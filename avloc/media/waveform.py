"""A file's sound as mono samples on the common clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.media.placing import Placing, Samples
from avloc.media.probe import MediaInfo
from avloc.media.streams import Trouble, decoded, opened, origin_of, sound_stream, the_sound


@dataclass(frozen=True)
class Waveform:
    """Mono sound from the file's origin on.

    Attributes:
        samples: (n,) float32 in [-1, 1], the arithmetic mean over the channels, zero before
            the sound begins and in its gaps.
        rate: samples a second, the file's own.
        is_valid_until: seconds at which the real sound ends, and
        flags: ``late_audio``, ``audio_gap``, ``audio_overlap``, ``audio_pts_rebuilt``,
            ``audio_rate_changed``, ``joined``, ``no_sound``, ``corrupt``, ``truncated``.
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
    if info is None:
        with opened(path) as container:
            if sound_stream(container) is None:
                return None
    track = SoundTrack(path, info)
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
        info: what `probe` said of it, if known: spares opening it once more.

    Attributes:
        rate: samples a second.
        is_valid_from: seconds at which the real sound begins, once a piece has come, and
        is_valid_until: to which it is known so far; exact once all pieces have come, as are
        flags: ``late_audio``, ``audio_gap``, ``audio_overlap``, ``audio_pts_rebuilt``,
            ``audio_rate_changed``, ``joined``, ``no_sound``, ``corrupt``, ``truncated``.

    Raises:
        MediaError: the file cannot be opened, or has no sound.
    """

    def __init__(self, path: Path | str, info: MediaInfo | None = None) -> None:
        self._path = path
        self.rate: int = (info.audio_rate if info is not None else None) or _rate_of(path)
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


def _rate_of(path: Path | str) -> int:
    with opened(path) as container:
        rate: int = the_sound(container).codec_context.sample_rate
        return rate
