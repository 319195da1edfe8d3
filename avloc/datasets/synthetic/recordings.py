"""Recordings as sounds of a clip: the loud part, again and again.

A recording may begin late, end early and pause, but a sound that is "heard" must be heard in
every second: pauses are cut to half a second, and the rest repeats with short cross-fades.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avloc.datasets.synthetic.folders import ANOTHER_FILE
from avloc.datasets.synthetic.sounds import Samples
from avloc.errors import DatasetError, MediaError
from avloc.media import SoundTrack

LONGEST_SECONDS = 60
"""What comes later in a recording is not used."""
STEP_SECONDS = 0.05
LOUD = 0.2
"""A step is loud that has this fraction of the loudest step's amplitude."""
N_REST_STEPS = 5
"""So much of a pause is kept on either side of it."""
FADE_SECONDS = 0.01
SILENCE = 1e-4
"""The loudest step of a recording that counts as silent, root mean square."""


def read_recording(path: Path, rate: int) -> Samples:
    """Return a recording's loud part, mono.

    Args:
        path: the file.
        rate: samples a second of what is returned.

    Raises:
        DatasetError: the file is no sound that can be read, or is silent.
    """
    try:
        track = SoundTrack(path)
        samples = _beginning(track)
    except MediaError as error:
        raise _unreadable(path, error) from error
    if not np.isfinite(samples).all():
        raise DatasetError("holds samples that are no numbers", path, hint=ANOTHER_FILE)
    samples = _resampled(samples, track.rate, rate)
    n_steps = len(samples) // _step(rate)
    if n_steps == 0 or _levels(samples, rate).max() < SILENCE:
        raise DatasetError("is silent, or too short to be heard", path, hint=ANOTHER_FILE)
    return loud_part(samples, rate)


def check_recording(path: Path) -> None:
    """Look at a file's head only.

    Raises:
        DatasetError: it is no sound's.
    """
    try:
        SoundTrack(path)
    except MediaError as error:
        raise _unreadable(path, error) from error


def loud_part(samples: Samples, rate: int) -> Samples:
    """Return a sound from its first loud step on, without the middle of its pauses."""
    levels = _levels(samples, rate)
    is_loud = levels >= LOUD * levels.max()
    is_kept = np.convolve(is_loud, np.ones(2 * N_REST_STEPS + 1))[N_REST_STEPS:-N_REST_STEPS] > 0.5
    is_kept[: np.argmax(is_loud)] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_kept.astype(int), [0]])))
    bounds = edges.reshape(-1, 2) * _step(rate)
    return _joined([samples[start:end] for start, end in bounds], rate)


def repeated(samples: Samples, n_samples: int, rate: int) -> Samples:
    """Return a sound as often as it takes to fill a length."""
    n_fresh = len(samples) - round(FADE_SECONDS * rate)
    return _joined([samples] * (1 + n_samples // n_fresh), rate)[:n_samples]


def _joined(pieces: list[Samples], rate: int) -> Samples:
    """Put pieces in a row, the end of each under the beginning of the next."""
    n_fade = round(FADE_SECONDS * rate)
    rise = (np.arange(n_fade) + 0.5) / n_fade
    parts, held = [], pieces[0]
    for piece in pieces[1:]:
        parts.append(held[:-n_fade])
        seam = held[-n_fade:] * rise[::-1] + piece[:n_fade] * rise
        held = np.concatenate([seam, piece[n_fade:]])
    return np.concatenate([*parts, held])


def _beginning(track: SoundTrack) -> Samples:
    pieces, n_read = [np.zeros(0)], 0
    for piece in track:
        pieces.append(piece.astype(np.float64))
        n_read += len(piece)
        if n_read >= LONGEST_SECONDS * track.rate:
            break
    return np.concatenate(pieces)[: LONGEST_SECONDS * track.rate]


def _resampled(samples: Samples, rate: int, new_rate: int) -> Samples:
    """Return samples at another rate, without their constant part."""
    import librosa  # takes its time, and only real recordings need it

    if samples.size == 0:
        return samples
    centred = samples - samples.mean()
    if rate == new_rate:
        return np.asarray(centred)
    return np.asarray(
        librosa.resample(centred, orig_sr=rate, target_sr=new_rate, res_type="soxr_vhq")
    )


def _levels(samples: Samples, rate: int) -> Samples:
    """Return the root mean square of every whole step."""
    step = _step(rate)
    steps = samples[: len(samples) // step * step].reshape(-1, step)
    return np.asarray(np.sqrt(np.mean(steps**2, axis=1)))


def _step(rate: int) -> int:
    return round(STEP_SECONDS * rate)


def _unreadable(path: Path, error: MediaError) -> DatasetError:
    reason = error.message.removeprefix(str(path)).lstrip(": ")
    return DatasetError(f"has no sound that can be read ({reason})", path, hint=ANOTHER_FILE)
