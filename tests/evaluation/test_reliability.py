"""Reliability of events and labels: bins by hand, and answers of a known honesty."""

from __future__ import annotations

import numpy as np
import pytest

from avloc.evaluation.reliability import event_reliability, label_reliability, reliability
from avloc.timeline import Event


def test_bins_and_error_by_hand():
    confidence = np.array([0.05, 0.62, 0.68, 1.0])
    result = reliability(confidence, np.array([False, True, False, True]))
    assert [(b.low, b.n_answers) for b in result.bins] == [(0.0, 1), (0.6, 2), (0.9, 1)]
    assert result.bins[1].confidence == pytest.approx(0.65)
    assert result.bins[1].share_right == 0.5
    assert result.error == pytest.approx((0.05 + 2 * 0.15 + 0) / 4)
    assert reliability(np.array([]), np.array([], bool)) is None


def test_answers_that_are_right_as_often_as_they_say_have_no_error():
    draw = np.random.default_rng(0)
    confidence = draw.random(40_000)
    honest = reliability(confidence, draw.random(40_000) < confidence)
    boastful = reliability(confidence, draw.random(40_000) < confidence / 2)
    assert honest.error < 0.02
    assert boastful.error == pytest.approx(0.25, abs=0.02)


def test_an_event_is_right_that_takes_a_true_one():
    truth = [[Event(0, 4, "bark", 1.0)], []]
    answer = [
        [Event(0, 3, "bark", 0.85), Event(1, 4, "bark", 0.75), Event(0, 4, "bell", 0.55)],
        [Event(0, 4, "bark", 0.15)],
    ]
    result = event_reliability(answer, truth)
    assert [(b.low, b.share_right) for b in result.bins] == [
        (0.1, 0.0),
        (0.5, 0.0),
        (0.7, 0.0),
        (0.8, 1.0),
    ]
    assert result.error == pytest.approx((0.15 + 0.55 + 0.75 + 0.15) / 4)


def test_labels_of_scored_segments_only():
    scores = np.array([[[0.9, 0.1], [0.9, 0.9]]])
    truth = np.array([[[True, False], [False, False]]])
    scored = np.array([[True, False]])
    result = label_reliability(scores, truth, scored)
    assert result.n_answers == 2
    assert result.error == pytest.approx(0.1)
