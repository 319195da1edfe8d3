"""Sound at an encoder's rate, in minutes: memory grows neither with the sound nor the filter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.features.precision import one_thread

_BLOCK_SECONDS = 60
_LARGEST_KERNEL = 1 << 24

Samples = NDArray[np.float32]


def resampled(pieces: Iterable[Samples], rate: int, wanted: int) -> Iterator[Samples]:
    """Resample mono sound, (n,) a piece, with a Kaiser-windowed sinc like resampy 0.2's best.

    It goes through in minutes with a margin of a second, far more than the filter's reach.
    """
    if rate == wanted:
        yield from pieces
        return
    # Rates that share no factor need a filter bank of gigabytes.
    resample = _by_soxr if _kernel_size(rate, wanted) > _LARGEST_KERNEL else _by_torchaudio
    for block, margin in _overlapping_blocks(pieces, rate):
        yield resample(block, rate, wanted)[margin * wanted : (margin + _BLOCK_SECONDS) * wanted]


def _overlapping_blocks(pieces: Iterable[Samples], rate: int) -> Iterator[tuple[Samples, int]]:
    """Yield blocks with a second more at either end, and how many seconds that is in front."""
    margin, waiting, n_waiting = 0, [], 0
    for piece in pieces:
        waiting.append(piece)
        n_waiting += len(piece)
        while n_waiting >= (margin + _BLOCK_SECONDS + 1) * rate:
            joined = np.concatenate(waiting)
            yield joined[: (margin + _BLOCK_SECONDS + 1) * rate], margin
            waiting = [joined[(margin + _BLOCK_SECONDS - 1) * rate :]]
            n_waiting, margin = len(waiting[0]), 1
    joined = np.concatenate([np.zeros(0, np.float32), *waiting])
    while len(joined) > margin * rate:
        yield joined[: (margin + _BLOCK_SECONDS + 1) * rate], margin
        joined, margin = joined[(margin + _BLOCK_SECONDS - 1) * rate :], 1


def _kernel_size(rate: int, wanted: int) -> int:
    phases, step = Fraction(wanted, rate).as_integer_ratio()
    return phases * (step + 2 * 64 * max(1, step // phases))


def _by_torchaudio(samples: Samples, rate: int, wanted: int) -> Samples:
    import torchaudio  # which sound of the right rate does not need

    with one_thread(), torch.inference_mode():
        sound = torchaudio.functional.resample(
            torch.from_numpy(samples),
            rate,
            wanted,
            lowpass_filter_width=64,
            rolloff=0.9475937167399596,
            resampling_method="sinc_interp_kaiser",
            beta=14.769656459379492,
        )
    return np.asarray(sound.numpy(), dtype=np.float32)


def _by_soxr(samples: Samples, rate: int, wanted: int) -> Samples:
    import librosa  # for rare rates only

    return librosa.resample(samples, orig_sr=rate, target_sr=wanted, res_type="soxr_vhq")
