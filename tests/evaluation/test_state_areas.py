"""Areas of senses against pairs counted one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from avloc.evaluation.state_areas import STATES, label_cases, sense_areas


def pairs_won(winners: np.ndarray, losers: np.ndarray) -> float | None:
    """The share of pairs in which the first is greater; equal ones are a half."""
    if not len(winners) or not len(losers):
        return None
    won = (winners[:, None] > losers) + 0.5 * (winners[:, None] == losers)
    return float(won.mean())


cases = st.integers(0, 30).flatmap(
    lambda n: st.tuples(
        arrays(np.int64, (2, n), elements=st.integers(0, 5)), arrays(np.bool_, (2, n))
    )
)


@given(cases)
def test_against_pairs_counted_singly(drawn):
    (heard, seen), (audible, visible) = drawn
    areas = {area.state: area for area in sense_areas(heard, seen, audible, visible)}
    assert tuple(areas) == ("all", *STATES)
    state = {
        "both": audible & visible,
        "heard only": audible & ~visible,
        "seen only": ~audible & visible,
        "neither": ~audible & ~visible,
    }
    for values, truth, sense in ((heard, audible, "heard"), (seen, visible, "seen")):
        expected = {"all": pairs_won(values[truth], values[~truth])}
        for name, of in state.items():
            positive = name == "both" or name == f"{sense} only"
            expected[name] = (
                pairs_won(values[of], values[~truth])
                if positive
                else pairs_won(values[truth], values[of])
            )
        for name, area in expected.items():
            value = getattr(areas[name], sense)
            assert value == (None if area is None else pytest.approx(area)), (name, sense)
    assert [areas[name].n_cases for name in STATES] == [of.sum() for of in state.values()]


def test_only_labels_that_a_video_has_are_cases():
    audible = np.zeros((2, 3, 3), bool)
    visible = audible.copy()
    audible[0, 1, 0] = True
    visible[0, 2, 1] = True  # of a segment that is not scored
    visible[1, 0, 2] = True
    scored = np.array([[True, True, False], [True, True, True]])
    cases = label_cases(audible, visible, scored)
    assert cases[0, :, 0].tolist() == [True, True, False]
    assert cases[0, :, 1:].any() == 0
    assert cases[1].tolist() == [[False, False, True]] * 3
