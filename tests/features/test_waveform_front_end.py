"""Windows of sound as it is: which samples each segment's windows have."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import wavfile
from tiny_encoders import items_of, tiny_encoders

from avloc.decoding.clip_decoding import DecodingTask, Segment, decode_clip
from avloc.decoding.front_ends import find_front_end, waveform
from avloc.errors import UnknownNameError
from avloc.timeline import Grid


def samples_around(sound, rate, middle, seconds):
    """The window around a middle, sample by sample; silence where there is no sound."""
    begin = int((middle - seconds / 2) * rate // 1)
    wanted = range(begin, begin + int(seconds * rate))
    return [sound[k] if 0 <= k < len(sound) else 0.0 for k in wanted]


@pytest.mark.parametrize("window", [Fraction(1), Fraction(2), Fraction(10)])
@given(
    segment=st.sampled_from([Fraction(1, 4), Fraction(1, 3), Fraction(1), Fraction(5, 2)]),
    n_segments=st.integers(1, 9),
    cuts=st.lists(st.integers(0, 4000), max_size=5),
)
@settings(max_examples=20)
def test_a_window_lies_around_the_middle_of_its_part(window, segment, n_segments, cuts):
    rate, sound = 1000, np.arange(1, 4001, dtype=np.float32)
    n_parts = -(-segment // window)
    part = segment / n_parts
    middles = [(k + Fraction(1, 2)) * part for k in range(n_segments * n_parts)]
    expected = [samples_around(sound, rate, middle, window) for middle in middles]
    front_end = find_front_end(waveform(rate, window))
    pieces = np.split(sound, sorted(cuts))
    found = np.stack(items_of(front_end, pieces, rate, Grid(n_segments, segment)))
    assert found.shape == (n_segments, n_parts, int(window * rate))
    np.testing.assert_array_equal(found.reshape(len(middles), -1), expected)


def test_the_name_says_rate_and_window():
    assert waveform(32_000, Fraction(2)) == "waveform-32000-2s"
    assert waveform(48_000, 0.5) == "waveform-48000-0.5s"
    front_end = find_front_end("waveform-48000-0.5s")
    assert (front_end.rate, front_end.n_samples, front_end.item_shape) == (
        48_000,
        24_000,
        (24_000,),
    )


@pytest.mark.parametrize(
    "name", ["waveform", "waveform-0-1s", "waveform-32000-0s", "waveform-32000-2", "unknown"]
)
def test_a_front_end_that_is_none_is_refused(name):
    with pytest.raises(UnknownNameError, match=f"'{name}'"):
        find_front_end(name)


def test_a_clip_is_decoded_into_windows_at_the_encoders_rate(tmp_path):
    def tone(rate, begin, end):
        return 0.5 * np.sin(2 * np.pi * 440 * np.arange(begin * rate, end * rate) / rate)

    wavfile.write(tmp_path / "a.wav", 44_100, (tone(44_100, 0, 3) * 32_768).astype(np.int16))
    spec = replace(tiny_encoders().spec, front_end="waveform-32000-2s")
    messages = decode_clip(DecodingTask("a", tmp_path / "a.wav", spec))
    decoded = [message for message in messages if isinstance(message, Segment)]
    ends = np.cumsum([len(message.sound) for message in decoded])
    assert {message.sound_rate for message in decoded} == {44_100}
    assert ends[0] >= 44_100
    assert ends[1] >= 2 * 44_100
    assert ends[2] == 3 * 44_100
    windows = find_front_end(spec.front_end)
    items = items_of(windows, [m.sound for m in decoded], 44_100, decoded[0].grid)
    first, second, third = (item for (item,) in items)
    inside = slice(1000, -1000)  # a filter rings where sound begins or ends
    np.testing.assert_allclose(second[inside], tone(32_000, 0.5, 2.5)[inside], atol=1e-3)
    np.testing.assert_array_equal(first[:16_000], 0)
    np.testing.assert_allclose(first[16_000:][inside], tone(32_000, 0, 1.5)[inside], atol=1e-3)
    np.testing.assert_array_equal(third[48_000:], 0)
