"""Recordings as sounds of a clip: the loud part, repeated.

A sound that is "heard" must be heard in every second: pauses are cut to half a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from avloc.datasets.synthetic.media_folders import unusable
from avloc.datasets.synthetic.sounds import Samples
from avloc.errors import MediaError
from avloc.media import SoundReader

LONGEST_SECONDS = 60
"""Later parts of a recording are not used."""
STEP_SECONDS = 0.05
LOUD = 0.2
"""A step is loud if it has this fraction of the loudest step's amplitude."""
N_REST_STEPS = 5
"""The steps of a pause that stay, on either side of it."""
FADE_SECONDS = 0.01
SILENCE = 1e-4
"""A recording is silent if its loudest step has a smaller root mean square."""


def read_recording(path: Path, rate: int) -> Samples:
    """Return the loud part of a recording, mono, at a sampling rate."""
    with opened_recording(path) as track:
        samples = _beginning(track)
    if not np.isfinite(samples).all():
        raise unusable(path, "has samples that are not numbers")
    samples = _resampled(samples, track.rate, rate)
    step = round(STEP_SECONDS * rate)
    steps = samples[: len(samples) // step * step].reshape(-1, step)
    levels = np.sqrt(np.mean(steps**2, axis=1))  # root mean square of every whole step
    if levels.max(initial=0) < SILENCE:
        raise unusable(path, "is silent, or too short to be heard")
    is_loud = levels >= LOUD * levels.max()
    stays = np.convolve(is_loud, np.ones(2 * N_REST_STEPS + 1))[N_REST_STEPS:-N_REST_STEPS] > 0.5
    stays[: np.argmax(is_loud)] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[0], stays.astype(int), [0]])))
    bounds = edges.reshape(-1, 2) * step
    return _joined([samples[start:end] for start, end in bounds], rate)


def repeated(samples: Samples, n_samples: int, rate: int) -> Samples:
    """Return a sound as often as it takes to fill a length."""
    n_fresh = len(samples) - round(FADE_SECONDS * rate)
    return _joined([samples] * (1 + n_samples // n_fresh), rate)[:n_samples]


def _joined(pieces: list[Samples], rate: int) -> Samples:
    """Put pieces in a row, the end of each cross-faded with the beginning of the next."""
    n_fade = round(FADE_SECONDS * rate)
    rise = (np.arange(n_fade) + 0.5) / n_fade
    parts, last = [], pieces[0]
    for piece in pieces[1:]:
        parts.append(last[:-n_fade])
        seam = last[-n_fade:] * rise[::-1] + piece[:n_fade] * rise
        last = np.concatenate([seam, piece[n_fade:]])
    return np.concatenate([*parts, last])


@contextmanager
def opened_recording(path: Path) -> Iterator[SoundReader]:
    """Open a sound; what goes wrong inside the block is a DatasetError of its file."""
    try:
        yield SoundReader(path)
    except MediaError as error:
        reason = error.message.removeprefix(str(path)).lstrip(": ")
        raise unusable(path, f"has no readable sound ({reason})") from error


def _beginning(track: SoundReader) -> Samples:
    pieces, n_read = [np.zeros(0)], 0
    for piece in track:
        pieces.append(piece.astype(np.float64))
        n_read += len(piece)
        if n_read >= LONGEST_SECONDS * track.rate:
            break
    return np.concatenate(pieces)[: LONGEST_SECONDS * track.rate]


def _resampled(samples: Samples, rate: int, new_rate: int) -> Samples:
    """Return samples at another rate, without their constant part."""
    import librosa  # slow to import, and only real recordings need it

    if samples.size == 0:
        return samples
    centred = samples - samples.mean()
    if rate == new_rate:
        return np.asarray(centred)
    return np.asarray(
        librosa.resample(centred, orig_sr=rate, target_sr=new_rate, res_type="soxr_vhq")
    )
