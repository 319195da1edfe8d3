"""The rule of which frame stands for which sample."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_clips import frame_index_at

from avloc.media import ave2018_frame_index
from avloc.media.frame_clock import ShownFrame
from avloc.media.sampling import samples_by_time
from avloc.timeline import Grid

moments = st.fractions(min_value=-1, max_value=4, max_denominator=96)
times_of_frames = st.lists(moments, min_size=1, max_size=40).map(sorted)


def sampled(times: list[Fraction], rate: int, n_segments: int) -> list[int]:
    frames = (ShownFrame(k, time, time + Fraction(1, 25), None) for k, time in enumerate(times))
    return [sample.shown.index for sample in samples_by_time(frames, rate, Grid(n_segments), [])]


@given(
    st.lists(moments, min_size=1, max_size=40).map(sorted), st.integers(1, 48), st.integers(1, 4)
)
def test_it_is_the_last_frame_before_the_middle_of_the_sample(times, rate, n_segments):
    expected = frame_index_at(times, rate * n_segments, rate)
    assert sampled(times, rate, n_segments) == expected.tolist()


@pytest.mark.parametrize("rate", [32, 96])
def test_a_frame_exactly_on_the_edge_is_not_yet_seen(rate):
    times = [Fraction(k, rate) for k in range(rate)]
    on_edge = rate // 32  # this frame begins exactly at 1/32 s, where sample 0 looks back from
    assert sampled(times, 16, 1)[0] == on_edge - 1


def test_ends_are_held():
    assert sampled([Fraction(1, 2), Fraction(3, 4)], 4, 2) == [0, 0, 0, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("n_frames", [9, 100, 250, 251, 299, 300, 301])
def test_ave2018_counts_frames_as_the_script_did(n_frames):
    n = int(n_frames / 10)
    script = [int(t * n + j / 16 * n) for t in range(10) for j in range(16)]
    assert ave2018_frame_index(n_frames, 10, 16).tolist() == script


def test_ave2018_drifts_on_a_clip_of_another_length():
    by_count = ave2018_frame_index(360, 10, 16)  # 12 s at 30 frames a second
    by_time = frame_index_at([Fraction(k, 30) for k in range(360)], 160, 16)
    assert np.abs(by_count - by_time).max() >= 30  # a whole second off
