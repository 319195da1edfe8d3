"""A clip's sound: the source's, the ones from off screen, and noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avloc.datasets.synthetic.cast import DRAWN, Cast
from avloc.datasets.synthetic.composition import ClipPlan, SoundPlan
from avloc.datasets.synthetic.sounds import Samples
from avloc.datasets.synthetic.synthesis_config import SynthesisConfig

FADE_SECONDS = 0.01
LOUDEST = 0.95


def soundtrack(plan: ClipPlan, config: SynthesisConfig, cast: Cast = DRAWN) -> NDArray[np.float32]:
    """Return (n,) samples in -1 to 1 at ``config.sound_rate``."""
    mixed = np.zeros(config.n_samples)
    for sound in (plan.sound, *plan.offscreen):
        _add(mixed, sound, cast.wave(sound, plan.split, config.sound_rate), config.sound_rate)
    rng = np.random.default_rng([plan.seed, 2])
    # The noise is pink-ish, as rooms are: white noise and its own running sum, half each.
    white = rng.standard_normal(config.n_samples)
    low = np.convolve(white, np.ones(8) / np.sqrt(8), mode="same")
    mixed += plan.noise * plan.sound.gain * (white + low) / 2
    peak = float(np.abs(mixed).max())
    return (mixed * min(1.0, LOUDEST / max(peak, 1e-9))).astype(np.float32)


def _add(mixed: Samples, sound: SoundPlan, wave: Samples, rate: int) -> None:
    """Add a sound to where it is heard, with a short fade at both ends."""
    start, end = (second * rate for second in sound.heard)
    clock = np.arange(end - start) / rate
    fade = np.minimum(1, np.minimum(clock, clock[::-1]) / FADE_SECONDS)
    mixed[start:end] += sound.gain * fade * wave / np.sqrt(np.mean(wave**2))
