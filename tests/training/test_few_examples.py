"""Thresholds fitted to a handful of videos."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from avloc.training.few_examples import fit_to_few


def video(scores: list[float], truth: list[int]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(scores, np.float32), np.array(truth, bool)


def test_it_goes_half_way_between_the_scores_of_events_and_of_others() -> None:
    videos = [video([0.1, 0.2, 0.05], [0, 1, 0]), video([0.11, 0.25, 0.3], [0, 1, 1])]
    fitted = fit_to_few(*zip(*videos, strict=True), before=0.5)
    # the logits of .11 and .2 are -2.0907 and -1.3863; the sigmoid of their mean is .14943
    assert fitted.after == pytest.approx(0.14943, abs=1e-4)
    assert (fitted.n_videos, fitted.n_segments) == (2, 3)
    assert (fitted.f1_before, fitted.f1_after, fitted.f1_left_out) == (0, 1, 1)


def test_a_threshold_that_is_right_stays() -> None:
    videos = [video([0.1, 0.9], [0, 1]), video([0.2, 0.8], [0, 1])]
    assert fit_to_few(*zip(*videos, strict=True), before=0.7).after == 0.7


def test_without_an_example_it_stays() -> None:
    fitted = fit_to_few(*zip(*[video([0.9, 0.8], [0, 0])] * 3, strict=True), before=0.4)
    assert (fitted.after, fitted.n_videos, fitted.f1_before) == (0.4, 0, 0)


def test_a_fit_that_is_worse_on_other_videos_is_not_taken() -> None:
    # each video has a scale of its own, so the threshold of one is wrong for the other
    videos = [video([0.2, 0.3], [0, 1]), video([0.6, 0.95], [0, 1]), video([0.4, 0.6], [0, 1])]
    fitted = fit_to_few(*zip(*videos, strict=True), before=0.55)
    assert fitted.f1_left_out < fitted.f1_before
    assert fitted.after == 0.55
    assert fitted.f1_after == fitted.f1_before


SEGMENTS = st.lists(st.tuples(st.sampled_from(np.arange(0.02, 1, 0.02)), st.booleans()), min_size=1)


@settings(max_examples=40)
@given(st.lists(SEGMENTS, min_size=1, max_size=4), st.floats(0.02, 0.98))
def test_no_threshold_is_better_on_the_videos_it_was_fitted_to(
    videos: list[list[tuple[float, bool]]], before: float
) -> None:
    scores = [np.array([score for score, _ in of], np.float64) for of in videos]
    truth = [np.array([is_true for _, is_true in of], bool) for of in videos]
    fitted = fit_to_few(scores, truth, before)
    joined, is_true = np.concatenate(scores), np.concatenate(truth)

    def f1(threshold: float) -> float:
        return float(f1_score(is_true, joined >= threshold, zero_division=1.0))

    assert fitted.f1_before == pytest.approx(f1(before))
    assert fitted.f1_after == pytest.approx(f1(fitted.after))
    assert fitted.f1_after >= fitted.f1_before
    if fitted.after != before:
        every = max(f1(threshold) for threshold in np.arange(0.01, 1, 0.01))
        assert fitted.f1_after == pytest.approx(every)
