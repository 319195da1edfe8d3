"""Loudness against the formula over the whole waveform."""

from __future__ import annotations

import numpy as np
import pytest
from media_clips import (
    read_waveform,
    run_ffmpeg,
)

from avloc.media import loudness
from avloc.timeline import Grid


def test_loudness_is_the_root_mean_square_of_each_moment(tmp_path):
    made = "aevalsrc=exprs=(0.1+0.2*t)*sin(2000*t):d=3.4:s=8000"
    run_ffmpeg("-f", "lavfi", "-i", made, tmp_path / "a.wav")
    samples = read_waveform(tmp_path / "a.wav").samples.astype(float)
    found = loudness(tmp_path / "a.wav", Grid(4), moments=10)
    assert found.shape == (4, 10)
    padded = np.concatenate([samples, np.zeros(32000 - len(samples))]).reshape(40, 800)
    np.testing.assert_allclose(found.ravel(), np.sqrt((padded**2).mean(axis=1)), atol=1e-6)
    assert not found[3, 5:].any()  # the sound has ended


def test_sound_beyond_the_grid_is_left_out(tmp_path):
    run_ffmpeg("-f", "lavfi", "-i", "sine=d=5", tmp_path / "a.wav")
    assert loudness(tmp_path / "a.wav", Grid(2), moments=3).shape == (2, 3)
    whole = loudness(tmp_path / "a.wav", Grid(5), moments=3)
    assert loudness(tmp_path / "a.wav", Grid(2), moments=3) == pytest.approx(whole[:2])
