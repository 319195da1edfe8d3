"""A localizer: videos to timelines, and the inputs that it refuses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from workspaces import SmallWorkspace

import avloc
from avloc.artifacts import FeatureStore, read_predictions
from avloc.errors import ArtifactError, FingerprintError, MediaError, UsageError, WrongKindError
from avloc.localizer import Localizer
from avloc.media import write_clip


@pytest.fixture(scope="module")
def localizer(small_workspace: SmallWorkspace) -> Localizer:
    return avloc.load(small_workspace.artifacts / "models" / "cman.h5", device="cpu")


def test_video_gets_the_answer_its_stored_features_get(
    localizer: Localizer, small_workspace: SmallWorkspace
) -> None:
    clip = small_workspace.clips[0]
    store = FeatureStore.open(small_workspace.artifacts / "features")
    from_video, from_store = localizer(clip), localizer.of_features(store.read(clip.stem))
    np.testing.assert_array_equal(from_video.scores, from_store.scores)
    assert from_video.events == from_store.events
    assert from_video.frame_size == (192, 144)


def test_video_gets_the_scores_that_eval_gives_it(
    localizer: Localizer, small_workspace: SmallWorkspace
) -> None:
    done = avloc.evaluate(artifacts=small_workspace.artifacts)
    predictions = read_predictions(done.path)
    store = FeatureStore.open(small_workspace.artifacts / "features")
    for video_id, scores in zip(predictions.video_ids, predictions.scores, strict=True):
        timeline = localizer.of_features(store.read(video_id))
        np.testing.assert_allclose(timeline.scores, scores, atol=1e-5)


def test_the_models_thresholds_say_what_is_an_event(
    localizer: Localizer, small_workspace: SmallWorkspace
) -> None:
    store = FeatureStore.open(small_workspace.artifacts / "features")
    features, file = store.read(small_workspace.clips[0].stem), localizer.model_file
    n_seconds = []
    for threshold in (0.0, 1.0):
        fitted = replace(file, thresholds=(threshold,) * file.labels.n_labels)
        timeline = Localizer(fitted, localizer.encoders).of_features(features)
        n_seconds.append(sum(event.end - event.start for event in timeline))
    scores = timeline.scores
    is_event = scores.max(axis=1) >= 1 - scores.sum(axis=1)  # likelier than background
    assert n_seconds == [is_event.sum(), 0]
    assert is_event.any()


def test_answer_is_made_of_distributions(
    localizer: Localizer, small_workspace: SmallWorkspace
) -> None:
    timeline = localizer(small_workspace.clips[1])
    assert timeline.attention is not None
    assert timeline.gate_visual is not None
    assert timeline.gate_audio is not None
    assert (timeline.scores >= 0).all()
    assert (timeline.scores.sum(axis=1) < 1).all()  # background has the rest
    np.testing.assert_allclose(timeline.attention.sum(axis=(1, 2)), 1, atol=1e-5)
    np.testing.assert_allclose(timeline.gate_visual + timeline.gate_audio, 1, atol=1e-5)


def test_long_video_repeats_the_answer_of_what_it_repeats(
    localizer: Localizer, small_workspace: SmallWorkspace
) -> None:
    store = FeatureStore.open(small_workspace.artifacts / "features")
    short = store.read(small_workspace.clips[0].stem)
    assert short.visual is not None
    assert short.audio is not None
    n_repeats, n_segments = 6, short.n_segments
    long = replace(
        short,
        segment_times=np.tile(short.segment_times, (n_repeats, 1)),
        visual=np.tile(short.visual, (n_repeats, 1, 1, 1)),
        audio=np.tile(short.audio, (n_repeats, 1)),
        frame_index=None,
        visual_valid=np.tile(short.visual_valid, n_repeats),
        audio_valid=np.tile(short.audio_valid, n_repeats),
    )
    scores = localizer.of_features(long).scores.reshape(n_repeats, n_segments, -1)
    # every repeat but the first and the last is seen through the same windows
    for repeat in scores[2:-1]:
        np.testing.assert_allclose(repeat, scores[1], atol=1e-5)


def test_short_silent_and_dark_videos_get_an_answer(localizer: Localizer, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(16)]
    write_clip(tmp_path / "silent.mp4", frames, 8, None, 16000)
    timeline = localizer(tmp_path / "silent.mp4")
    assert timeline.grid.n_segments == 2
    assert "no_audio" in timeline.flags
    assert np.isfinite(timeline.scores).all()


def test_a_clip_of_less_than_half_a_second_has_no_event_beyond_its_end(
    localizer: Localizer, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    frames = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(4)]
    write_clip(tmp_path / "short.mp4", frames, 10, None, 16000)
    model = localizer.model_file
    weights = dict(model.weights)
    [last] = [name for name, array in weights.items() if array.shape == (4,)]
    weights[last] = np.array([0, 50, 0, 0], np.float32)  # so that there is an event
    sure = Localizer(replace(model, weights=weights), localizer.encoders)
    timeline = sure(tmp_path / "short.mp4")
    [event] = timeline
    assert timeline.grid.n_segments == 1
    assert 0.35 < timeline.duration < 0.5
    assert (event.start, event.end) == (0.0, timeline.duration)


def test_sound_without_picture_gets_an_answer(localizer: Localizer, tmp_path: Path) -> None:
    import wave

    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        tone = np.sin(2 * np.pi * 440 * np.arange(48000) / 16000) * 8000
        file.writeframes(tone.astype("<i2").tobytes())
    timeline = localizer(tmp_path / "tone.wav")
    assert timeline.grid.n_segments == 3
    assert "no_video" in timeline.flags
    assert timeline.frame_size is None
    assert timeline.attention is None


def test_other_features_and_other_files_are_refused(
    localizer: Localizer, small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    store = FeatureStore.open(small_workspace.artifacts / "features")
    features = store.read(small_workspace.clips[0].stem)
    other = replace(features, spec=replace(features.spec, fps=7))
    with pytest.raises(FingerprintError, match=other.fingerprint):
        localizer.of_features(other)
    with pytest.raises(WrongKindError):
        avloc.load(store.path_of(features.video_id))
    with pytest.raises(ArtifactError):
        avloc.load(tmp_path / "none.h5")
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(MediaError):
        localizer(tmp_path / "text.mp4")


def test_two_videos_that_would_write_the_same_files_are_refused(
    small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "clip.mp4").symlink_to(small_workspace.clips[0])
    with pytest.raises(UsageError, match="same"):
        avloc.localize(
            [tmp_path / "a", tmp_path / "b"], artifacts=small_workspace.artifacts, out=tmp_path
        )


@pytest.mark.slow
def test_threads_may_load_and_localize_at_once(
    small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    model = next((small_workspace.artifacts / "models").glob("*.h5"))
    clip = small_workspace.clips[0]

    def scores(number: int) -> np.ndarray:
        avloc.localize(clip, artifacts=small_workspace.artifacts, out=tmp_path / f"{number}")
        return avloc.load(model, offline=True)(clip).scores

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(scores, range(4)))
    for answer in answers[1:]:
        np.testing.assert_array_equal(answer, answers[0])
    assert len(list(tmp_path.glob("*/*.avloc.h5"))) == 4
