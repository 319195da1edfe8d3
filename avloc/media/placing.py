"""Decoded sound put where its times say, mixed to mono."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from avloc.media.continuity import LONGEST_GAP, RESTART

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
_MOST_SILENCE = 60  # seconds in one piece


@dataclass(frozen=True)
class _Block:
    """The samples of one frame, the sample they begin at as stated, and what only fills up."""

    samples: Samples
    stated: int | None
    n_excess: int


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
        self._held: _Block | None = None
        self._shift = 0
        self._rounded = Fraction(0)

    def add(self, frame: AudioFrame) -> Iterator[Samples]:
        """Yield the frame before this one: it is held back, for the next shows if it is right."""
        samples = self._at_rate(mean_of_channels(frame), frame.sample_rate)
        held, self._held = self._held, _Block(samples, self._stated(frame), self._excess(frame))
        if held is not None:
            yield from self._put(held.samples, held.stated, self._held.stated)

    def rest(self) -> Iterator[Samples]:
        """Yield the last frame, without what its encoder filled it up with."""
        held, self._held = self._held, None
        if held is not None:
            n_kept = max(len(held.samples) - held.n_excess, 0)
            yield from self._put(held.samples[:n_kept], held.stated, None)

    def _put(
        self, samples: Samples, stated: int | None, following: int | None
    ) -> Iterator[Samples]:
        """Yield samples and the silence before them, less what lies before the end so far."""
        place = self._place(len(samples), stated, following)
        samples, place = samples[max(self.end - place, 0) :], max(self.end, place)
        if len(samples) == 0:
            return
        n_silent = place - self.end
        self.begin = place if self.begin is None else self.begin
        self.end = place + len(samples)
        yield from _silence(n_silent, self._rate)
        yield samples

    def _place(self, n_samples: int, stated: int | None, following: int | None) -> int:
        """Return the sample a frame begins at.

        Times are coarse in some containers (a millisecond in Matroska), so they are
        believed only where they differ by more than a frame from plain continuation.
        """
        if stated is None:
            return self.end
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
        """Return how many samples of a frame lie past its stated length.

        Encoders fill their last frame up with silence, and MP4 says so only by a shorter
        length. Coarser clocks than the sample rate say nothing so exact.
        """
        if not frame.duration or frame.time_base != Fraction(1, self._rate):
            return 0
        return max(frame.samples - frame.duration, 0)

    def _at_rate(self, mono: Samples, rate: int) -> Samples:
        """Keep the clock right when a broadcast changes its rate in the middle."""
        if rate == self._rate:
            return mono
        self._flag("audio_rate_changed")
        exact = Fraction(len(mono) * self._rate, rate) + self._rounded
        n_samples = round(exact)
        self._rounded = exact - n_samples  # or many roundings add up to a drift
        at = np.arange(n_samples) * (rate / self._rate)
        return np.asarray(np.interp(at, np.arange(len(mono)), mono), dtype=np.float32)


def _silence(n_samples: int, rate: int) -> Iterator[Samples]:
    for first in range(0, n_samples, _MOST_SILENCE * rate):
        yield np.zeros(min(n_samples - first, _MOST_SILENCE * rate), np.float32)


def mean_of_channels(frame: AudioFrame) -> NDArray[np.float32]:
    """Return (n,): the arithmetic mean over a frame's channels, scaled and cut to [-1, 1].

    Decoders of floats go beyond, 1.4 on loud sound; integers, which the rules speak of, cannot.
    """
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    scale, silence = _SCALES.get(frame.format.packed.name, (1.0, 0.0))
    if frame.format.packed.name in ("flt", "dbl"):
        samples = samples.clip(-1, 1)
    mean = samples.mean(axis=0, dtype=np.float64)
    return np.asarray((mean - silence) / scale, dtype=np.float32)
