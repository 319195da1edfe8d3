"""The model ``open``: scores of labels against the formulas written in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from avloc.artifacts import ModelFile, read_model, write_model
from avloc.errors import UsageError
from avloc.inference import infer, label_maps
from avloc.labels import LabelSet
from avloc.models import build, restore, state_arrays
from avloc.models.label_scores import (
    LabelClasses,
    LabelEvidence,
    blurred,
    fused,
    median_over_time,
)
from avloc.spec import FeatureSpec

LABELS = ("bark", "siren", "sunset", "word")  # heard and seen, heard, seen, neither
HEARD = (LabelClasses((0, 1), (1.0, 0.5)), LabelClasses((2,), (1.0,)), *(LabelClasses(),) * 2)
SEEN = (
    LabelClasses((3, 0), (0.8, 1.0)),
    LabelClasses(),
    LabelClasses((1,), (1.0,)),
    LabelClasses(),
)
RIVAL = LabelClasses((4,), (1.0,))


def made(*, audio: bool = True, n_rivals: int = 1, smooth: int = 1):
    torch.manual_seed(0)
    heads = {"visual_head": "softmax", "visual_width": 12, "visual_classes": 6, "visual_pairs": 4}
    if audio:
        heads |= {"audio_head": "tagger", "audio_width": 9, "audio_classes": 5, "audio_pairs": 4}
    heads["visual_pairs"], heads["audio_pairs"] = 3 + n_rivals, (3 + n_rivals) * audio
    model = build(
        "open",
        visual_channels=8,
        audio_channels=6,
        n_classes=4,
        independent=True,
        n_rivals=n_rivals,
        smooth=smooth,
        **heads,
    )
    numbers = [0.3, -0.2, 0.1, 0.0, 0.5][: 4 + n_rivals], [1.5, 0.7, 1.1, 1.0, 0.9][: 4 + n_rivals]
    rivals = (RIVAL,) * n_rivals
    if audio:
        model.heard_labels.fit((*HEARD, *rivals), *numbers)
    model.seen_labels.fit((*SEEN, *rivals), *numbers)
    return model.eval().requires_grad_(False)


def features(n_segments: int = 5):
    torch.manual_seed(1)
    return torch.randn(1, n_segments, 3, 3, 8), torch.randn(1, n_segments, 6)


def test_a_labels_evidence_is_that_of_any_of_its_classes() -> None:
    evidence = LabelEvidence(2, 3)
    evidence.fit((LabelClasses((0, 2), (1.0, 0.5)), LabelClasses((1,), (0.25,))), [1, -1], [2, 0.5])
    scores = np.array([[0.5, -2.0, 1.0], [-9.0, 3.0, -40.0]])
    likely = np.exp(scores)
    raw = np.log([likely[:, 0] + 0.5 * likely[:, 2], 0.25 * likely[:, 1]]).T
    expected = 1.5 * ((raw - [1, -1]) / [2, 0.5] - 2.75)
    np.testing.assert_allclose(evidence(torch.tensor(scores)), expected, rtol=1e-5)
    alone = evidence.of_label(0, torch.tensor(scores))
    np.testing.assert_allclose(alone, raw[:, 0], rtol=1e-5)


def test_class_scores_can_be_brought_to_one_unit_first() -> None:
    evidence = LabelEvidence(1, 2)
    mean, scale = np.array([-4.0, 1.0, -7.0]), np.array([2.0, 1.0, 0.5])
    evidence.fit((LabelClasses((0, 2), (1.0, 0.5)),), [0.3], [3], mean, scale)
    scores = np.random.default_rng(0).normal(-3, 3, (20, 3))
    z = np.exp((scores - mean) / scale)
    expected = 1.5 * ((np.log(z[:, 0] + 0.5 * z[:, 2]) - 0.3) / 3 - 2.75)
    np.testing.assert_allclose(evidence(torch.tensor(scores))[:, 0], expected, rtol=1e-4)


def test_a_sense_that_knows_no_class_abstains() -> None:
    output = made()(*features())
    assert output.heard.isnan().all(1)[0].tolist() == [False, False, True, True]
    assert output.seen.isnan().all(1)[0].tolist() == [False, True, False, True]
    assert (output.logits[..., 3].sigmoid() < 1e-6).all()  # which no sense knows
    assert output.logits.isfinite().all()


@pytest.mark.parametrize("heard", [-1.0, 0.5, 2.0, 4.0])
@pytest.mark.parametrize("seen", [-2.0, 0.1, 2.4, 3.0])
def test_the_weaker_sense_supports_the_stronger_and_never_blocks_it(heard, seen) -> None:
    # in deviations above the background, of which the log-odds are 1.5 (z - 2.75)
    z = max(heard, seen) + 0.3 * max(0, min(heard, seen))
    odds = (torch.tensor([1.5 * (value - 2.75)]) for value in (heard, seen))
    assert fused(*odds).item() == pytest.approx(1.5 * (z - 2.75), abs=1e-5)


def test_where_one_sense_abstains_the_other_alone_is_the_score() -> None:
    said, nothing = torch.tensor([-1.5, 0.0, 2.0]), torch.full((3,), torch.nan)
    torch.testing.assert_close(fused(said, nothing), said)
    torch.testing.assert_close(fused(nothing, said), said)


def test_the_median_over_time_is_numpys() -> None:
    x = np.random.default_rng(0).normal(size=(1, 9, 2)).astype(np.float32)
    padded = np.pad(x, ((0, 0), (2, 2), (0, 0)), mode="edge")
    expected = np.median([padded[:, k : k + 9] for k in range(5)], axis=0)
    np.testing.assert_array_equal(median_over_time(torch.from_numpy(x), 5), expected)


def test_the_pictures_logits_are_those_of_the_mean_over_its_cells() -> None:
    model, (visual, audio) = made(n_rivals=0), features()
    head = model.visual_head
    cells = torch.nn.functional.relu6(head.hidden(visual.flatten(2, 3)))
    logits = head.output(cells).mean(2).log_softmax(-1)  # the mean of logits, not of chances
    torch.testing.assert_close(model(visual, audio).seen, model.seen_labels(logits), equal_nan=True)


def test_missing_sound_says_nothing_and_its_model_needs_none() -> None:
    visual, audio = features()
    silent = made()(visual, torch.zeros_like(audio))
    assert silent.heard.isnan().all()
    blind = made(audio=False)
    assert blind.modalities == "visual"
    outputs = infer(blind, visual, audio, 5)
    assert outputs.keys() == {"scores", "seen", "rivals"}
    assert np.isnan(outputs["seen"][..., [1, 3]]).all()


def test_the_map_is_of_the_label_asked_for_and_uniform_where_it_is_not_seen() -> None:
    model, (visual, audio) = made(), features()
    outputs = infer(model, visual, audio, 5)
    outputs["heard"][..., 0], outputs["seen"][..., 0] = 1, 1
    labels = np.array([[0, 0, 1, 2, 0]])
    maps = label_maps(model, visual, outputs, labels)
    assert maps.shape == (1, 5, 3, 3)
    np.testing.assert_allclose(maps.sum((2, 3)), 1, rtol=1e-5)
    np.testing.assert_allclose(maps[0, 2], 1 / 9, rtol=1e-5)  # a siren cannot be seen
    head = model.visual_head
    logits = head.output(torch.nn.functional.relu6(head.hidden(visual))).numpy()[0].astype(float)
    raw = np.log(0.8 * np.exp(logits[..., 3]) + np.exp(logits[..., 0]))
    for t in (0, 1, 4):
        smooth = gaussian_filter(raw[t], 0.7, mode="mirror", radius=2)
        above = np.maximum(smooth - smooth.mean(), 0)
        np.testing.assert_allclose(maps[0, t], above / above.sum(), rtol=1e-3, atol=1e-6)
    outputs["heard"][..., 0] = 0
    np.testing.assert_allclose(label_maps(model, visual, outputs, labels)[0, 0], 1 / 9, rtol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (7, 7), (14, 14)])
def test_smoothing_a_map_is_scipys_and_keeps_a_flat_one(shape) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    reach = min(2, *(side - 1 for side in shape))
    expected = gaussian_filter(x, 0.7, mode="mirror", radius=reach) if reach else x
    np.testing.assert_allclose(blurred(torch.tensor(x)), expected, atol=1e-12)
    np.testing.assert_allclose(blurred(torch.ones(shape)), 1, rtol=1e-6)


def test_its_file_alone_makes_it_again(tmp_path) -> None:
    model, inputs = made(smooth=3), features(150)
    file = ModelFile(
        name="open",
        config=model.config,
        weights=state_arrays(model),
        labels=LabelSet(LABELS, kind="independent"),
        spec=FeatureSpec("", "", "", ""),
        supervision="none",
        n_segments=600,
        segment_seconds=1.0,
        metrics={},
        seed=0,
        data={"rivals": ["wind"]},
    )
    write_model(tmp_path / "open.h5", file)
    again = restore(read_model(tmp_path / "open.h5"))
    expected, outputs = infer(model, *inputs, 600), infer(again, *inputs, 600)
    for name in expected:
        np.testing.assert_array_equal(expected[name], outputs[name])


def test_a_model_without_heads_or_of_exclusive_labels_is_refused() -> None:
    for options in ({"independent": True}, {"visual_head": "tagger"}):
        with pytest.raises(UsageError, match="independent labels and a head"):
            build("open", visual_channels=8, audio_channels=6, n_classes=2, **options)
