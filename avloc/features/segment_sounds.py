"""A clip's sound cut into what an audio encoder takes of each segment, as it is decoded."""

from __future__ import annotations

import numpy as np

from avloc.decoding.front_ends import FrontEnd, Items, Samples
from avloc.features.resampling import Resampler
from avloc.timeline import Grid


class SegmentSounds:
    """Takes (n,) mono samples of a clip; gives each segment's items, in order.

    Sound is resampled here and not where it is decoded: that takes PyTorch, and little time.
    Before and after the sound there is silence.
    """

    def __init__(self, front_end: FrontEnd, rate: int, grid: Grid) -> None:
        self._front_end = front_end
        self._grid = grid
        self._resampler = Resampler(rate, front_end.rate)
        self._sound, self._first = np.zeros(0, np.float32), 0  # in memory, and where it begins
        self._n_done = 0

    def add(self, samples: Samples) -> list[Items]:
        """Take the clip's next samples; return the (n, *item_shape) that are complete by now."""
        return self._take(self._resampler.add(samples), is_all=False)

    def finish(self) -> list[Items]:
        """Return the items of the segments that are left: the clip has no more sound."""
        return self._take(self._resampler.finish(), is_all=True)

    def _take(self, samples: Samples, is_all: bool) -> list[Items]:
        if len(samples):
            self._sound = np.concatenate([self._sound, samples])
        complete: list[Items] = []
        while self._n_done < self._grid.n_segments:
            starts = self._front_end.starts(self._grid, self._n_done)
            self._forget(starts[0])
            end = starts[-1] + self._front_end.n_samples
            if not is_all and self._first + len(self._sound) < end:
                break
            complete.append(np.stack([self._front_end.item(self._window(k)) for k in starts]))
            self._n_done += 1
        return complete

    def _forget(self, start: int) -> None:
        """Drop what lies before a sample: later windows begin later."""
        n_past = min(max(start - self._first, 0), len(self._sound))
        self._sound, self._first = self._sound[n_past:], self._first + n_past

    def _window(self, start: int) -> Samples:
        n_samples = self._front_end.n_samples
        n_before = max(self._first - start, 0)  # silence before the sound begins
        window = self._sound[max(start - self._first, 0) :][: max(n_samples - n_before, 0)]
        return np.pad(window, (n_before, n_samples - n_before - len(window)))
