"""Ten sounds: functions of a generator, a clock (n,) in seconds and a pitch factor.

Every second of a sound has some of its energy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Samples = NDArray[np.float64]
TURN = 2 * np.pi


def _bell(rng: Generator, clock: Samples, pitch: float) -> Samples:
    since = clock % rng.uniform(0.45, 0.7)
    partials = ((1, 1.0, 3), (2.0, 0.6, 4), (2.76, 0.5, 6), (5.4, 0.25, 9))
    strokes = [
        a * np.exp(-d * since) * np.sin(TURN * 620 * pitch * f * since) for f, a, d in partials
    ]
    return np.asarray(np.sum(strokes, axis=0))


def _hiss(rng: Generator, clock: Samples, pitch: float) -> Samples:
    bursts = np.exp(-9 * (clock % rng.uniform(0.2, 0.3)))
    return np.asarray(_band_noise(rng, clock, 2800 * pitch, 6000 * pitch) * bursts)


def _motor(rng: Generator, clock: Samples, pitch: float) -> Samples:
    saw = 2 * np.mod(95 * pitch * clock, 1) - 1
    return np.asarray(saw * (0.6 + 0.4 * np.sin(TURN * rng.uniform(11, 16) * clock)))


def _whistle(rng: Generator, clock: Samples, pitch: float) -> Samples:
    rate = rng.uniform(5, 7)
    vibrato = 70 / rate * np.sin(TURN * rate * clock)
    return np.asarray(np.sin(TURN * 1750 * pitch * clock + vibrato))


def _clicks(rng: Generator, clock: Samples, pitch: float) -> Samples:
    since = clock % rng.uniform(0.09, 0.13)
    return np.asarray(np.exp(-90 * since) * rng.standard_normal(clock.size))


def _siren(rng: Generator, clock: Samples, pitch: float) -> Samples:
    rate = rng.uniform(1.5, 2.2)
    turn = TURN * 800 * pitch * clock + 300 / rate * np.sin(TURN * rate * clock)
    return np.asarray(np.sin(turn) + 0.4 * np.sin(2 * turn) + 0.2 * np.sin(3 * turn))


def _chirp(rng: Generator, clock: Samples, pitch: float) -> Samples:
    since = clock % rng.uniform(0.28, 0.4)
    sweep = np.sin(TURN * pitch * (900 * since + 6500 * since**2))
    return np.asarray(sweep * np.exp(-(((since - 0.12) / 0.06) ** 2)))


def _rumble(rng: Generator, clock: Samples, pitch: float) -> Samples:
    swell = 0.7 + 0.3 * np.sin(TURN * rng.uniform(0.8, 1.5) * clock)
    return np.asarray(_band_noise(rng, clock, 130 * pitch, 420 * pitch) * swell)


def _beeps(rng: Generator, clock: Samples, pitch: float) -> Samples:
    period = rng.uniform(0.3, 0.42)
    tone = np.sign(np.sin(TURN * 1050 * pitch * clock))
    return np.asarray(tone * (clock % period < period / 2))


def _chord(rng: Generator, clock: Samples, pitch: float) -> Samples:
    tremolo = 0.75 + 0.25 * np.sin(TURN * rng.uniform(3, 5) * clock)
    tones = [
        np.sin(TURN * tone * k * pitch * clock) / k for tone in (262, 330, 392) for k in (1, 2, 3)
    ]
    return np.asarray(np.sum(tones, axis=0) * tremolo)


def _band_noise(rng: Generator, clock: Samples, low: float, high: float) -> Samples:
    """Return noise with energy between two frequencies in hertz only."""
    spectrum = np.fft.rfft(rng.standard_normal(clock.size))
    hertz = np.fft.rfftfreq(clock.size, d=float(clock[1] - clock[0]))
    spectrum[(hertz < low) | (hertz > high)] = 0
    return np.asarray(np.fft.irfft(spectrum, clock.size))


class Sound(NamedTuple):
    """What a class sounds like; the name is what its source does."""

    name: str
    wave: Callable[[Generator, Samples, float], Samples]


SOUNDS: tuple[Sound, ...] = (
    Sound("ringing", _bell),
    Sound("hissing", _hiss),
    Sound("humming", _motor),
    Sound("whistling", _whistle),
    Sound("ticking", _clicks),
    Sound("wailing", _siren),
    Sound("chirping", _chirp),
    Sound("rumbling", _rumble),
    Sound("beeping", _beeps),
    Sound("singing", _chord),
)
