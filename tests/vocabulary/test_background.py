"""The background of a classifier: moments in, scores of ordinary seconds out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.errors import UnknownNameError
from avloc.vocabulary.background import Background, read_background


def _scores(n=5000, n_classes=6, seed=0):
    generator = np.random.default_rng(seed)
    together = generator.standard_normal((n, 2)) @ generator.standard_normal((2, n_classes))
    return together + generator.standard_normal((n, n_classes)) * 0.3 + np.arange(n_classes)


def test_drawn_scores_have_the_moments_of_those_that_were_measured():
    scores = _scores()
    drawn = Background.of(scores, rank=2).draw(20_000, seed=1)
    np.testing.assert_allclose(drawn.mean(0), scores.mean(0), atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(scores.T), atol=0.15)


def test_the_deviation_is_that_of_each_class_shared_by_a_fifth():
    scores = _scores()
    expected = np.sqrt(0.8 * scores.var(0) + 0.2 * scores.var(0).mean())
    np.testing.assert_allclose(Background.of(scores, rank=2).deviation, expected)


@given(st.floats(-8, -1), st.floats(0.1, 2))
def test_a_label_of_one_class_has_the_class_moments(mean, deviation):
    # of one class without common factors: raw = l + ln 1
    background = Background(np.array([mean]), np.zeros((1, 1)), np.array([deviation]))
    centre, scale = background.of_label([0], [1.0])
    assert centre == pytest.approx(mean, abs=0.2 * deviation)
    assert scale == pytest.approx(deviation, rel=0.1)


def test_a_label_of_more_classes_is_likelier_and_weights_make_it_less_likely():
    background = Background.of(np.log(np.random.default_rng(0).dirichlet(np.ones(50), 300)))
    few, _ = background.of_label(range(2), [1.0] * 2)
    many, _ = background.of_label(range(20), [1.0] * 20)
    light, _ = background.of_label(range(20), [0.5] * 20)
    assert few < many < 0
    assert light == pytest.approx(many + np.log(0.5))


def test_an_abstaining_label_has_a_neutral_scale():
    assert Background.of(_scores(50)).of_label([], []) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("encoder", "n_classes"), [("efficientat-mn04", 527), ("efficientnet-lite0", 1000)]
)
def test_the_shipped_backgrounds_are_whole(encoder, n_classes):
    background = read_background(encoder)
    assert background.mean.shape == background.rest.shape == (n_classes,)
    assert background.factors.shape[1] == n_classes
    assert np.isfinite(background.draw()).all()
    assert (background.deviation > 0).all()


def test_an_encoder_without_a_background_is_named():
    with pytest.raises(UnknownNameError, match="resnet18"):
        read_background("resnet18")


def test_seconds_that_have_a_class_are_not_its_background():
    generator = np.random.default_rng(0)
    absent, present = generator.normal(-5, 1, (900, 1)), generator.normal(2, 0.5, (100, 1))
    background = Background.of_absence(np.concatenate([absent, present]))
    assert background.mean == pytest.approx(-5, abs=0.2)
    assert background.rest == pytest.approx(1, abs=0.1)
    assert background.deviation == pytest.approx(1, abs=0.1)
