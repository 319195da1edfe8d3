"""A clip whose events pretrained encoders can know: photographs and two synthesised sounds.

scikit-learn brings the photographs: a temple (danielbuechele) and a flower (vultilion), both CC BY
2.0. The sounds are computed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import atomic_path
from avloc.export.marks import refuse_foreign
from avloc.media.write_clip import write_clip

LABELS = ("temple", "church bell", "flower", "siren", "dog barking")
"""What to ask for: a thing seen and heard, things of one sense, and one that is not in the clip."""
_SECONDS, _RATE, _SOUND_RATE = 12, 12, 32_000
_HEIGHT, _WIDTH = 320, 480
_BELL, _SIREN = (1.0, 5.0), (7.0, 11.0)  # seconds
_PARTIALS = ((440, 0.3, 1.0), (880, 0.2, 1.5), (1180, 0.2, 2.0), (1760, 0.1, 3.0), (2400, 0.1, 4.0))
_TONES = (650.0, 850.0)  # Hz, in turn

Samples = NDArray[np.float32]


def write_open_clip(path: Path) -> None:
    """Write the clip; a temple with a bell, then a flower with a siren."""
    refuse_foreign(path)
    with atomic_path(path) as temporary:
        write_clip(temporary, _pictures(), _RATE, _sound(), _SOUND_RATE)


def _pictures() -> Iterator[NDArray[np.uint8]]:
    from sklearn.datasets import load_sample_images

    photographs = load_sample_images().images
    n_each = _SECONDS * _RATE // len(photographs)
    for photograph in photographs:
        height, width = photograph.shape[:2]
        for share in np.linspace(0, 1, n_each):
            # the camera pans, so that maps have to follow
            top, left = round(share * (height - _HEIGHT)), round(share * (width - _WIDTH))
            yield np.ascontiguousarray(photograph[top : top + _HEIGHT, left : left + _WIDTH])


def _sound() -> Samples:
    seconds = np.arange(_SECONDS * _SOUND_RATE) / _SOUND_RATE
    sound = 0.001 * np.random.default_rng(0).standard_normal(len(seconds))
    for strike in np.arange(*_BELL):
        sound += _bell(seconds - strike) * (seconds < _BELL[1])
    return (sound + _siren(seconds)).astype(np.float32)


def _bell(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    since = np.maximum(seconds, 0)
    partials = [a * np.sin(2 * np.pi * hz * since) * np.exp(-since * d) for hz, a, d in _PARTIALS]
    return np.asarray(np.sum(partials, axis=0) * (seconds >= 0) * 0.5)


def _siren(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    hertz = np.where(seconds % 1 < 0.5, *_TONES)
    wave = 0.2 * np.sign(np.sin(2 * np.pi * np.cumsum(hertz) / _SOUND_RATE))
    return wave * ((seconds >= _SIREN[0]) & (seconds < _SIREN[1]))
