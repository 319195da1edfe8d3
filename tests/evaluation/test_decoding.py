"""Decoders on hand-made scores, worked out beside them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import predictions_of
from test_evaluate import untrained

from avloc.errors import UnknownNameError
from avloc.evaluation.decoders import decode
from avloc.evaluation.evaluator import evaluate
from avloc.evaluation.measure import measure

BG = 2
SCORES = np.array(
    [
        [  # means of bell and bark: (0.6+0.2+0.2+0.1)/4 = 0.275, (0.1+0.4+0.5+0.2)/4 = 0.3
            [0.6, 0.1, 0.3],  # segment: bell; video: an event, so bark
            [0.2, 0.4, 0.4],  # both: bark
            [0.2, 0.5, 0.3],  # both: bark
            [0.1, 0.2, 0.7],  # both: background
        ],
        [  # 0.25 and 0.125
            [0.25, 0.25, 0.5],  # segment: background; video: at most 0.5, so an event: bell
            [0.375, 0.125, 0.5],
            [0.375, 0.125, 0.5],
            [0.0, 0.0, 1.0],
        ],
    ],
    dtype=np.float32,
)
ALL = np.ones((2, 4), dtype=bool)


def test_by_hand():
    assert decode(SCORES, ALL, BG, "segment").tolist() == [[0, 1, 1, 2], [2, 2, 2, 2]]
    assert decode(SCORES, ALL, BG, "video").tolist() == [[1, 1, 1, 2], [0, 0, 0, 2]]


def test_segments_that_are_not_scored_have_no_say_in_the_videos_class():
    scored = ALL.copy()
    scored[0, 2] = False  # bell 0.9 / 3, bark 0.7 / 3
    assert decode(SCORES, scored, BG, "video")[0, [0, 1, 3]].tolist() == [0, 0, 2]
    nothing = decode(SCORES, np.zeros_like(ALL), BG, "video")
    assert set(nothing.ravel().tolist()) <= {0, 1, BG}


def test_background_is_no_videos_class_however_probable():
    scores = np.array([[[0.0, 0.0, 1.0], [0.25, 0.3, 0.45]]])
    assert decode(scores, np.ones((1, 2), bool), BG, "video").tolist() == [[BG, 1]]


def test_there_is_no_third():
    with pytest.raises(UnknownNameError, match="vidoe") as caught:
        decode(SCORES, ALL, BG, "vidoe")
    assert "video" in caught.value.hint


@given(st.integers(0, 10_000))
def test_a_video_has_one_class_and_confident_segments_agree(seed):
    scores = np.random.default_rng(seed).dirichlet([0.3] * 4, size=(3, 6))
    scored = np.ones((3, 6), dtype=bool)
    by_segment, by_video = (decode(scores, scored, 3, how) for how in ("segment", "video"))
    for row in by_video:
        assert len(set(row.tolist()) - {3}) <= 1
    sure = scores[..., 3] > 0.5
    assert (by_video[sure] == 3).all()
    assert (by_segment[sure] == 3).all()
    assert ((by_video == 3) == sure).all()


def test_measure_says_which_and_measures_by_it():
    targets = [[1, 1, 1, 2], [0, 0, 2, -1]]
    predictions = predictions_of(targets, targets, scores=SCORES[..., :2])
    by_segment, by_video = measure(predictions), measure(predictions, decode="video")
    assert (by_segment.decode, by_video.decode) == ("segment", "video")
    assert by_segment.segment_accuracy == pytest.approx(4 / 7)
    assert by_video.segment_accuracy == pytest.approx(6 / 7)
    assert by_video.background_recall == pytest.approx(1 / 2)
    assert by_video.confusion == ((2, 0, 0), (0, 3, 0), (1, 0, 1))


def test_an_unknown_decoder_is_refused_before_anything_is_read():
    with pytest.raises(UnknownNameError):
        evaluate(untrained(), None, None, decode="vidoe")
