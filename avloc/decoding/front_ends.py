"""What an audio encoder is given of a segment: its front end, by the name that a spec has.

``vggish-96x64``
    log-mel patches of 0.975 s of sound at 16 kHz, see `avloc.decoding.logmel`.
``waveform-RATE-SECONDSs``, for example ``waveform-32000-2s``
    sound as it is, at RATE Hz, in windows of SECONDS; the encoder makes the rest of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from avloc.decoding import logmel
from avloc.errors import UnknownNameError
from avloc.timeline import Grid

VGGISH = "vggish-96x64"
_WAVEFORM = re.compile(r"waveform-([1-9]\d{3,5})-(\d{1,3}(?:\.\d{1,3})?)s")

Samples = NDArray[np.float32]
Items = NDArray[np.float32]


@dataclass(frozen=True)
class FrontEnd:
    """How a segment's sound is cut into items, and what an item is.

    A segment is cut into equal parts of at most ``part_seconds`` with an item each. An item's
    sound begins with its part, or is centred on a part that is shorter.
    """

    name: str
    rate: int  # Hz of the mono sound
    n_samples: int  # of an item
    part_seconds: Fraction
    item_shape: tuple[int, ...]
    item: Callable[[Samples], Items]  # of (n_samples,) sound

    def starts(self, grid: Grid, segment: int) -> list[int]:
        """Return the samples at which a segment's items start; the first may be negative."""
        n_parts = math.ceil(grid.segment_seconds / self.part_seconds)
        part = grid.segment_seconds / n_parts * self.rate
        offset = min(Fraction(0), (part - self.n_samples) / 2)
        return [math.floor((segment * n_parts + k) * part + offset) for k in range(n_parts)]

    @property
    def window_seconds(self) -> Fraction:
        """The length of an item's sound."""
        return Fraction(self.n_samples, self.rate)


def waveform(rate: int, seconds: Fraction | float) -> str:
    """Return the name of the front end of waveforms."""
    return f"waveform-{rate}-{float(seconds):g}s"


def find_front_end(name: str) -> FrontEnd:
    """Return the front end of a spec; UnknownNameError if there is none of that name."""
    if name == VGGISH:
        shape, second = (logmel.N_FRAMES, logmel.N_BANDS), Fraction(1)
        return FrontEnd(name, logmel.RATE, logmel.PATCH_SAMPLES, second, shape, logmel.log_mel)
    found = _WAVEFORM.fullmatch(name)
    if found is None or not Fraction(found[2]):
        raise UnknownNameError("front end", name, (VGGISH, waveform(32_000, 2)))
    rate, seconds = int(found[1]), Fraction(found[2])
    n_samples = round(rate * seconds)
    return FrontEnd(name, rate, n_samples, seconds, (n_samples,), np.asarray)
