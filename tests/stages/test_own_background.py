"""Labels of the model open, compared with the user's own videos."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import avloc
from avloc.errors import FingerprintError
from avloc.stages.own_background import pooled
from avloc.tables.open_clip import write_open_clip


@given(st.integers(1, 400), st.floats(-2, 1), st.integers(0, 9))
def test_pooled_moments_are_those_of_all_seconds_together(n, mean, seed):
    generator = np.random.default_rng(seed)
    seconds = generator.normal(mean, 0.5, (n, 1))
    shipped = generator.standard_normal(300)
    shipped = (shipped - shipped.mean()) / shipped.std()
    together = np.concatenate([shipped, seconds[seconds < 2.75]])
    centre, deviation = pooled(seconds)
    assert centre == pytest.approx(together.mean(), abs=1e-9)
    assert deviation == pytest.approx(together.std(), abs=1e-9)


def test_seconds_that_have_the_label_and_senses_that_abstain_count_for_nothing():
    centre, deviation = pooled(np.array([[9.0, np.nan], [5.0, np.nan]]))
    np.testing.assert_array_equal([centre, deviation], [[0, 0], [1, 1]])


@pytest.mark.slow
def test_what_a_users_videos_are_full_of_is_no_news(tmp_path, tagger_weights):
    write_open_clip(tmp_path / "clips" / "a.mp4")
    given = {"weights": tagger_weights, "offline": True, "artifacts": tmp_path / "artifacts"}
    pair = {"visual": "efficientnet-lite0", "audio": "efficientat-mn04"}
    avloc.extract(tmp_path / "clips", **pair, fps=2, **given)
    labels = {"labels": ["siren", "flower", "temple"], **given}
    store = tmp_path / "artifacts" / "features"
    features = avloc.FeatureStore.open(store).read("a")
    before = avloc.open_model(**labels).localizer().of_features(features)
    after = avloc.open_model(background=store, **labels).localizer().of_features(features)
    assert {event.label for event in after} == {event.label for event in before}
    # the flower comes after six seconds; until then it should score as the background does
    was, became = (_deviations(timeline.seen[:6, 1]).mean() for timeline in (before, after))
    assert abs(became) < abs(was)
    with pytest.raises(FingerprintError, match="segment_seconds"):
        avloc.open_model(background=store, segment_seconds=0.5, **labels)


def _deviations(probability):
    return np.log(probability / (1 - probability)) / 1.5 + 2.75
