"""How loud a file's sound is over time, to be drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.media.sound_reader import SoundReader
from avloc.timeline import Grid


def loudness(path: Path | str, grid: Grid, moments: int = 20) -> NDArray[np.float32]:
    """Return (T, n): the root mean square of the sound at n moments a segment; 0 past its end."""
    reader, n_read = SoundReader(path), 0
    n_bins = grid.n_segments * moments
    a_second = moments / float(grid.segment_seconds)
    energy, counts = np.zeros(n_bins), np.zeros(n_bins)
    for piece in reader:
        bins = (np.arange(n_read, n_read + len(piece)) * (a_second / reader.rate)).astype(np.int64)
        n_read += len(piece)
        bins = bins[bins < n_bins]
        if len(bins) > 0:  # only the bins of this piece: a film has many, and many pieces
            first, last = bins[0], bins[-1]
            squares = piece[: len(bins)].astype(np.float64) ** 2
            energy[first : last + 1] += np.bincount(bins - first, squares)
            counts[first : last + 1] += np.bincount(bins - first)
    means = energy / np.maximum(counts, 1)
    return np.sqrt(means).astype(np.float32).reshape(grid.n_segments, moments)
