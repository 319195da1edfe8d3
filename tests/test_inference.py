"""Windows over any length, and their blend."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avloc.errors import UsageError
from avloc.inference import blend, infer, windows
from avloc.models import build


@given(st.integers(1, 400), st.integers(1, 60))
def test_windows_cover_every_segment_with_no_context_lost(n_segments: int, window: int) -> None:
    laid = windows(n_segments, window)
    covered = np.zeros(n_segments, int)
    for one in laid:
        assert one.stop - one.start == min(window, n_segments)
        covered[one] += 1
    assert covered.min() >= 1
    assert all(b.start - a.start <= max(1, window // 2) for a, b in itertools.pairwise(laid))


def test_windows_of_known_lengths() -> None:
    def as_pairs(n_segments: int, window: int) -> list[tuple[int, int]]:
        return [(one.start, one.stop) for one in windows(n_segments, window)]

    assert as_pairs(7, 10) == [(0, 7)]
    assert as_pairs(10, 10) == [(0, 10)]
    assert as_pairs(23, 10) == [(0, 10), (5, 15), (10, 20), (13, 23)]


@pytest.mark.parametrize(("n_segments", "window"), [(0, 10), (10, 0)])
def test_windows_of_nothing_are_refused(n_segments: int, window: int) -> None:
    with pytest.raises(UsageError):
        windows(n_segments, window)


def test_blend_weights_by_the_distance_from_the_edge() -> None:
    # windows of four segments have weights 1 2 2 1; segments 2 and 3 are seen by both
    first, second = np.full((1, 4), 6.0, np.float32), np.full((1, 4), 12.0, np.float32)
    parts = [(slice(0, 4), {"scores": first}), (slice(2, 6), {"scores": second})]
    expected = [6, 6, (2 * 6 + 1 * 12) / 3, (1 * 6 + 2 * 12) / 3, 12, 12]
    assert blend(6, parts)["scores"][0] == pytest.approx(expected)


@given(st.integers(1, 50), st.integers(1, 12))
def test_blend_of_agreeing_windows_changes_nothing(n_segments: int, window: int) -> None:
    truth = np.random.default_rng(0).dirichlet(np.ones(3), size=(2, n_segments)).astype(np.float32)
    parts = ((one, {"scores": truth[:, one]}) for one in windows(n_segments, window))
    np.testing.assert_allclose(blend(n_segments, parts)["scores"], truth, atol=1e-6)


def test_a_long_video_is_seen_in_windows_and_a_short_one_at_once() -> None:
    torch.manual_seed(0)
    model = build("cman", visual_channels=4, audio_channels=3, n_classes=3, width=8).eval()
    visual, audio = torch.rand(2, 9, 2, 2, 4), torch.rand(2, 9, 3)

    def scores(part: slice) -> np.ndarray:
        with torch.inference_mode():
            return model(visual[:, part], audio[:, part]).logits.softmax(-1)[..., :-1].numpy()

    whole = infer(model, visual, audio, 9)
    np.testing.assert_array_equal(whole["scores"], scores(slice(9)))
    assert whole["attention"].shape == (2, 9, 2, 2)
    first, second, third = (scores(slice(t, t + 6)) for t in (0, 3, 3))
    np.testing.assert_array_equal(second, third)
    windowed = infer(model, visual, audio, 6)["scores"]
    np.testing.assert_allclose(windowed[:, :3], first[:, :3], rtol=1e-6)
    np.testing.assert_allclose(windowed[:, 6:], second[:, 3:], rtol=1e-6)
    # segment 3: the fourth of six in the first window, weight 3; the first of the second: 1
    np.testing.assert_allclose(windowed[:, 3], (3 * first[:, 3] + second[:, 0]) / 4, rtol=1e-6)


def built(**options: object):
    torch.manual_seed(0)
    return build(
        "cman", visual_channels=4, audio_channels=3, n_classes=3, width=8, **options
    ).eval()


def test_each_sense_is_asked_with_the_other_hidden() -> None:
    model = built()
    visual, audio = torch.rand(2, 5, 2, 2, 4), torch.rand(2, 5, 3)
    assert not infer(model, visual, audio, 5).keys() & {"heard", "seen"}  # it saw no half video
    model.knows_halves = True
    outputs = infer(model, visual, audio, 5)
    heard = infer(model, torch.zeros_like(visual), audio, 5)["scores"]
    seen = infer(model, visual, torch.zeros_like(audio), 5)["scores"]
    np.testing.assert_array_equal(outputs["heard"], heard)
    np.testing.assert_array_equal(outputs["seen"], seen)
    assert not np.allclose(heard, seen)


def test_a_model_of_one_modality_knows_by_that_sense_only() -> None:
    visual, audio = torch.rand(1, 5, 2, 2, 4), torch.rand(1, 5, 3)
    ear = infer(built(modalities="audio", where=False, which=False), visual, audio, 5)
    np.testing.assert_array_equal(ear["heard"], ear["scores"])
    assert "seen" not in ear
    eye = infer(built(modalities="visual", where=False, which=False), visual, audio, 5)
    np.testing.assert_array_equal(eye["seen"], eye["scores"])
    assert "heard" not in eye


def test_independent_labels_have_a_sigmoid_each() -> None:
    model = built(independent=True)
    visual, audio = torch.rand(1, 5, 2, 2, 4), torch.rand(1, 5, 3)
    with torch.inference_mode():
        logits = model(visual, audio).logits.numpy()
    expected = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(infer(model, visual, audio, 5)["scores"], expected, rtol=1e-5)
