"""A file's sound as mono samples, put where their times say, from the file's origin on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from av import AudioFrame
from numpy.typing import NDArray

from avloc.media.continuity import LONGEST_GAP, RESTART
from avloc.media.media_file import open_media
from avloc.media.probe import MediaInfo

Samples = NDArray[np.float32]

# Full scale and silence of the integer sample formats, packed or planar.
_SCALES: dict[str, tuple[float, float]] = {
    "u8": (2.0**7, 2.0**7),
    "s16": (2.0**15, 0.0),
    "s32": (2.0**31, 0.0),
    "s64": (2.0**63, 0.0),
}
_MOST_SILENCE = 60  # seconds in one piece


class SoundReader:
    """A file's sound at its own rate, mixed to mono by the arithmetic mean, as it decodes.

    Iterating gives (n,) float32 pieces in [-1, 1] of at most a minute, one after the other from
    the origin on, zero before the sound begins and in its gaps. The flags are complete then.

    Args:
        path: a file with sound; `MediaError` without.
        info: the result of `probe`, if known: the file is then opened once less.
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
        """Seconds at which the sound begins, once a piece has come."""
        return (self._clock.begin or 0) / self.rate

    @property
    def is_valid_until(self) -> float:
        """Seconds at which it ends, as far as is known."""
        return self._clock.end / self.rate


def _rate_of(path: Path | str) -> int:
    with open_media(path) as media:
        rate: int = media.require_sound().codec_context.sample_rate
        return rate


class SoundClock:
    """Puts mono samples where their times, counted from an origin, say."""

    def __init__(self, rate: int, origin: Fraction = Fraction(0)) -> None:
        self.flags: list[str] = []
        self.begin: int | None = None  # the first sample that is sound
        self.end = 0  # the sample after the last one so far
        self._rate = rate
        self._origin = origin
        self._shift = 0
        self._rounded = Fraction(0)

    def walk(self, frames: Iterable[AudioFrame]) -> Iterator[Samples]:
        """Yield the samples of each frame, and silence in the gaps between them."""
        # A frame is held back until the next has come, which shows if its time is right.
        held: tuple[Samples, int | None] | None = None
        n_excess = 0
        for frame in frames:
            samples = self._at_rate(mean_of_channels(frame), frame.sample_rate)
            stated = self._stated(frame)
            if held is not None:
                yield from self._put(*held, stated)
            held, n_excess = (samples, stated), self._excess(frame)
        if held is not None:
            samples, stated = held
            yield from self._put(samples[: max(len(samples) - n_excess, 0)], stated, None)

    def _put(
        self, samples: Samples, stated: int | None, following: int | None
    ) -> Iterator[Samples]:
        # What lies before the end so far is cut.
        first = self._first_sample(len(samples), stated, following)
        samples, first = samples[max(self.end - first, 0) :], max(self.end, first)
        if len(samples) == 0:
            return
        n_silent = first - self.end
        self.begin = first if self.begin is None else self.begin
        self.end = first + len(samples)
        for n_before in range(0, n_silent, _MOST_SILENCE * self._rate):
            yield np.zeros(min(n_silent - n_before, _MOST_SILENCE * self._rate), np.float32)
        yield samples

    def _first_sample(self, n_samples: int, stated: int | None, following: int | None) -> int:
        if stated is None:
            return self.end
        # Times are coarse in some containers (a millisecond in Matroska): they are believed only
        # where they differ by more than a frame from plain continuation.
        stated += self._shift
        is_first, n_late = self.begin is None, stated - self.end
        if (is_first and n_late <= n_samples) or abs(n_late) <= n_samples:
            return stated if is_first else self.end
        is_ahead = following is not None and self.end <= following + self._shift < stated
        if is_ahead or not -RESTART <= n_late / self._rate < LONGEST_GAP:
            self._flag("audio_pts_rebuilt")
            self._shift -= 0 if is_ahead or is_first else n_late
            return self.end
        late = "late_audio" if is_first else "audio_gap"
        self._flag(late if n_late > 0 else "audio_overlap")
        return stated

    def _flag(self, name: str) -> None:
        if name not in self.flags:
            self.flags.append(name)

    def _stated(self, frame: AudioFrame) -> int | None:
        if frame.pts is None or frame.time_base is None:
            return None
        return round((frame.pts * frame.time_base - self._origin) * self._rate)

    def _excess(self, frame: AudioFrame) -> int:
        # Encoders fill their last frame up with silence. MP4 states that by a shorter length, which
        # a clock coarser than the sample rate cannot express.
        if not frame.duration or frame.time_base != Fraction(1, self._rate):
            return 0
        return max(frame.samples - frame.duration, 0)

    def _at_rate(self, mono: Samples, rate: int) -> Samples:
        if rate == self._rate:
            return mono
        self._flag("audio_rate_changed")
        # Broadcasts change their rate in the middle; the clock must stay right.
        exact = Fraction(len(mono) * self._rate, rate) + self._rounded
        n_samples = round(exact)
        self._rounded = exact - n_samples  # or many roundings add up to a drift
        at = np.arange(n_samples) * (rate / self._rate)
        return np.asarray(np.interp(at, np.arange(len(mono)), mono), dtype=np.float32)


def mean_of_channels(frame: AudioFrame) -> Samples:
    """Return (n,): the arithmetic mean over a frame's channels, scaled and cut to [-1, 1]."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    scale, silence = _SCALES.get(frame.format.packed.name, (1.0, 0.0))
    if frame.format.packed.name in ("flt", "dbl"):  # decoders exceed the range, up to 1.4
        samples = samples.clip(-1, 1)
    # FFmpeg's own mono has a gain of 1.41 on stereo and 3.41 on 5.1 against the mean.
    mean = samples.mean(axis=0, dtype=np.float64)
    return np.asarray((mean - silence) / scale, dtype=np.float32)
