"""A file's sound as mono samples from the file's origin on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from avloc.media.media_file import open_media
from avloc.media.probe import MediaInfo
from avloc.media.sound_clock import Samples, SoundClock


class SoundReader:
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
        flags: known once all pieces have come: ``late_audio``, ``audio_gap``,
            ``audio_overlap``, ``audio_pts_rebuilt``, ``audio_rate_changed``, ``joined``,
            ``no_sound``, ``corrupt``, ``truncated``.

    Raises:
        MediaError: the file cannot be opened, or has no sound.
    """

    def __init__(self, path: Path | str, info: MediaInfo | None = None) -> None:
        self._path = path
        self.rate: int = (info.sound_rate if info is not None else None) or _rate_of(path)
        self.flags: tuple[str, ...] = ()
        self._clock = SoundClock(self.rate)

    def __iter__(self) -> Iterator[Samples]:
        with open_media(self._path) as media:
            self._clock = clock = SoundClock(self.rate, media.origin)
            yield from clock.walk(media.sounds())
        nothing = ["no_sound"] if clock.begin is None else []
        self.flags = (*clock.flags, *nothing, *media.damage.flags)

    @property
    def is_valid_from(self) -> float:
        """Seconds at which the real sound begins, once a piece has come."""
        return (self._clock.begin or 0) / self.rate

    @property
    def is_valid_until(self) -> float:
        """Seconds at which it ends, as far as is known."""
        return self._clock.end / self.rate


def _rate_of(path: Path | str) -> int:
    with open_media(path) as media:
        rate: int = media.require_sound().codec_context.sample_rate
        return rate
