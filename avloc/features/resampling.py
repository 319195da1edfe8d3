"""Sound at an encoder's rate, in minutes: memory grows neither with the sound nor the filter."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from avloc.decoding.clip_decoding import SOUND_AHEAD, Samples
from avloc.features.precision import one_thread

_BLOCK_SECONDS = SOUND_AHEAD - 1
_LARGEST_KERNEL = 1 << 24
_NOTHING = np.zeros(0, np.float32)


class Resampler:
    """Resamples mono sound with a Kaiser-windowed sinc like resampy 0.2's best.

    Sound goes through in minutes with a margin of a second, far more than the filter's reach.
    """

    def __init__(self, rate: int, wanted: int) -> None:
        self._rates = rate, wanted
        # Rates that share no factor need a filter bank of gigabytes.
        is_rare = rate != wanted and _kernel_size(rate, wanted) > _LARGEST_KERNEL
        self._resample = _by_soxr if is_rare else _by_torchaudio
        self._waiting: list[Samples] = []
        self._margin = 0  # seconds in front that belong to the minute before

    def add(self, samples: Samples) -> Samples:
        """Take the next (n,) samples; return what is complete by now at the wanted rate."""
        if self._rates[0] == self._rates[1]:
            return samples
        self._waiting.append(samples)
        done = [_NOTHING]
        while sum(map(len, self._waiting)) >= self._n_in_block:
            done.append(self._next_block())
        return np.concatenate(done)

    def finish(self) -> Samples:
        """Return the rest: no more samples come."""
        done = [_NOTHING]
        while sum(map(len, self._waiting)) > self._margin * self._rates[0]:
            done.append(self._next_block())
        return np.concatenate(done)

    @property
    def _n_in_block(self) -> int:
        return (self._margin + _BLOCK_SECONDS + 1) * self._rates[0]

    def _next_block(self) -> Samples:
        rate, wanted = self._rates
        joined, margin = np.concatenate(self._waiting), self._margin
        block = self._resample(joined[: self._n_in_block], rate, wanted)
        self._waiting = [joined[(margin + _BLOCK_SECONDS - 1) * rate :]]
        self._margin = 1
        return block[margin * wanted : (margin + _BLOCK_SECONDS) * wanted]


def _kernel_size(rate: int, wanted: int) -> int:
    phases, step = Fraction(wanted, rate).as_integer_ratio()
    return phases * (step + 2 * 64 * max(1, step // phases))


def _by_torchaudio(samples: Samples, rate: int, wanted: int) -> Samples:
    with one_thread(), torch.inference_mode():
        sound = _resampling(rate, wanted)(torch.from_numpy(samples))
    return np.asarray(sound.numpy(), dtype=np.float32)


@lru_cache(4)  # a kernel takes longer than a clip, and clips have few rates
def _resampling(rate: int, wanted: int) -> Callable[[Tensor], Tensor]:
    import torchaudio  # which sound of the right rate does not need

    resample: Callable[[Tensor], Tensor] = torchaudio.transforms.Resample(
        rate,
        wanted,
        lowpass_filter_width=64,
        rolloff=0.9475937167399596,
        resampling_method="sinc_interp_kaiser",
        beta=14.769656459379492,
        dtype=torch.float32,
    )
    return resample


def _by_soxr(samples: Samples, rate: int, wanted: int) -> Samples:
    import librosa  # for rare rates only

    return librosa.resample(samples, orig_sr=rate, target_sr=wanted, res_type="soxr_vhq")
