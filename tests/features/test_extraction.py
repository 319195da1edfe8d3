import dataclasses
import os
import shutil

import numpy as np
import pytest
import torch
from media_clips import read_waveform
from tiny_encoders import Film, tiny_encoders, to_16khz

from avloc.artifacts import FeatureStore, write_features
from avloc.decoding.logmel import log_mel
from avloc.decoding.squash import squash
from avloc.errors import FingerprintError, MediaError, UnknownNameError, UsageError
from avloc.features import extract, extract_video
from avloc.media import sampled_segments, write_clip
from avloc.timeline import Grid

ARRAYS = ("segment_times", "visual", "audio", "frame_index", "visual_valid", "audio_valid")


@pytest.fixture(scope="module")
def encoders():
    return tiny_encoders()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four good clips of different lengths and rates, one with no sound, and a bad file."""
    folder = tmp_path_factory.mktemp("clips")
    Film(3.0, rate=8, seed=0).write(folder / "a.mp4")
    Film(2.4, rate=25, seed=1).write(folder / "b.mp4")
    Film(5.0, rate=2, seed=2).write(folder / "c.mp4")
    Film(2.0, rate=8, seed=3, has_sound=False).write(folder / "mute.mp4")
    (folder / "bad.mp4").write_bytes(b"this is not a film" * 100)
    return folder


def videos_of(folder):
    return [(path.stem, path) for path in sorted(folder.glob("*.mp4"))]


def store_at(root, encoders):
    return FeatureStore.create(root, encoders.spec)


def assert_same(one, other):
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert one.flags == other.flags
    assert one.source_sha256 == other.source_sha256


def test_features_are_the_mean_of_their_samples_maps(folder, encoders):
    features = extract_video(folder / "a.mp4", encoders)
    weight, bias = encoders.visual.network[0].weight, encoders.visual.network[0].bias
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    segments = sampled_segments(folder / "a.mp4", rate=4, grid=Grid(3))
    for t, segment in enumerate(segments):
        maps = []
        for k in segment.which:  # every sample on its own, repeated frames and all
            x = (squash(segment.images[k], (224, 224)) / 255 - mean) / std
            x = torch.from_numpy(x).permute(2, 0, 1)[None].float()
            maps.append(torch.nn.functional.conv2d(x, weight, bias, stride=32).clamp(min=0)[0])
        expected = torch.stack(maps).mean(0).permute(1, 2, 0).numpy()
        np.testing.assert_allclose(features.visual[t], expected, atol=2e-3)
    assert features.visual.shape == (3, 7, 7, 6)
    assert features.visual.dtype == np.float16
    assert features.visual.std() > 0.1


def test_sound_of_a_segment_is_its_own_second(folder, encoders):
    features = extract_video(folder / "b.mp4", encoders)
    waveform = read_waveform(folder / "b.mp4")
    samples = to_16khz(waveform.samples, waveform.rate)
    for t in range(2):
        patch = log_mel(samples[t * 16000 :][:15600])
        expected = np.concatenate([patch.mean(0), patch.std(0)])
        np.testing.assert_allclose(features.audio[t], expected, atol=1e-4)
    assert features.audio.dtype == np.float32


def test_provenance_is_recorded(folder, encoders):
    import hashlib

    features = extract_video(folder / "a.mp4", encoders)
    content = (folder / "a.mp4").read_bytes()
    assert features.source_sha256 == hashlib.sha256(content).hexdigest()
    assert features.source_bytes == len(content)
    assert features.source == str(folder / "a.mp4")
    assert features.video_id == "a"
    assert features.frame_size == (64, 48)
    assert features.fingerprint == encoders.spec.fingerprint
    assert features.spec == encoders.spec
    assert features.duration == pytest.approx(3.0, abs=0.1)


@dataclasses.dataclass
class Counting:
    """A visual encoder that counts what it is given, without the group's filling."""

    encoder: object
    n_frames: int = 0

    def encode(self, frames):
        self.n_frames += len(frames)
        return self.encoder.encode(frames)

    def __getattr__(self, name):
        return getattr(self.encoder, name)


def test_each_distinct_frame_is_encoded_once(tmp_path, encoders):
    # Three pictures a second sampled four times a second, held over the segments' edges.
    path = Film(4.0, rate=3, seed=5).write(tmp_path / "slow.mp4")
    counting = Counting(encoders.visual)
    features = extract_video(path, dataclasses.replace(encoders, visual=counting))
    assert counting.n_frames == len(np.unique(features.frame_index)) < features.frame_index.size
    assert counting.n_frames == 12
    assert_same(features, extract_video(path, encoders))


def test_a_still_beyond_its_end_costs_one_frame(tmp_path, encoders):
    path = Film(0.5, rate=2, seed=6, has_sound=False).write(tmp_path / "still.mp4")
    counting = Counting(encoders.visual)
    counted = dataclasses.replace(encoders, visual=counting)
    features = extract_video(path, counted, grid=Grid(30))
    assert counting.n_frames == 1
    assert features.visual_valid.tolist() == [True] + [False] * 29
    np.testing.assert_array_equal(features.visual[29], features.visual[0])


def test_a_missing_stream_is_absent_and_flagged(folder, tmp_path, encoders):
    mute = extract_video(folder / "mute.mp4", encoders)
    assert mute.audio is None
    assert "no_audio" in mute.flags
    assert not mute.audio_valid.any()
    assert mute.visual is not None
    wave = pytest.importorskip("scipy.io.wavfile")
    noise = np.random.default_rng(0).normal(0, 3000, 2 * 16000).astype(np.int16)
    wave.write(tmp_path / "sound.wav", 16000, noise)
    sound = extract_video(tmp_path / "sound.wav", encoders)
    assert sound.visual is None
    assert sound.frame_index is None
    assert "no_video" in sound.flags
    assert not sound.visual_valid.any()
    assert sound.audio.shape == (2, 128)
    assert sound.audio_valid.all()


def test_a_fixed_grid_wins_and_marks_what_is_not_there(folder, encoders):
    features = extract_video(folder / "a.mp4", encoders, grid=Grid(10))
    assert features.visual.shape[0] == features.audio.shape[0] == 10
    assert features.visual_valid.tolist() == [True] * 3 + [False] * 7
    assert not features.audio_valid[4:].any()
    cut = extract_video(folder / "c.mp4", encoders, grid=Grid(2))
    whole = extract_video(folder / "c.mp4", encoders)
    np.testing.assert_array_equal(cut.visual, whole.visual[:2])
    np.testing.assert_array_equal(cut.audio, whole.audio[:2])


def test_a_bad_file_raises_when_it_is_the_only_one(folder, encoders):
    with pytest.raises(MediaError, match=r"bad\.mp4"):
        extract_video(folder / "bad.mp4", encoders)


@pytest.mark.parametrize("batch_size", [None, 1, 7])
def test_a_store_holds_what_one_video_gives_bit_for_bit(folder, tmp_path, encoders, batch_size):
    store = store_at(tmp_path, encoders)
    seen = []
    report = extract(
        videos_of(folder),
        store,
        encoders,
        workers=0,
        batch_size=batch_size,
        progress=lambda *said: seen.append(said),
    )
    assert (report.n_done, report.n_skipped) == (4, 0)
    assert [failure.video_id for failure in report.failures] == ["bad"]
    assert store.video_ids() == ["a", "b", "c", "mute"]
    for video_id in store.video_ids():
        assert_same(store.read(video_id), extract_video(folder / f"{video_id}.mp4", encoders))
    assert [done for done, _, _ in seen] == [1, 2, 3, 4, 5]
    assert {what for _, _, what in seen} == {"a", "b", "c", "mute", "bad"}
    assert {total for _, total, _ in seen} == {5}


def test_what_is_done_is_skipped_and_failures_are_tried_again(folder, tmp_path, encoders):
    store = store_at(tmp_path / "store", encoders)
    videos = videos_of(folder)
    first = extract(videos[:3], store, encoders, workers=0)
    assert (first.n_done, len(first.failures)) == (2, 1) or first.n_done == 3
    before = {
        video_id: store.path_of(video_id).stat().st_mtime_ns for video_id in store.video_ids()
    }
    again = extract(videos, store, encoders, workers=0)
    assert again.n_skipped == len(before)
    assert all(store.path_of(name).stat().st_mtime_ns == time for name, time in before.items())
    assert [failure.video_id for failure in store.failures()] == ["bad"]
    assert "bad.mp4" in store.failures()[0].reason
    mended = tmp_path / "bad.mp4"
    shutil.copy(folder / "a.mp4", mended)
    healed = extract([("bad", mended)], store, encoders)
    assert healed.n_done == 1
    assert store.failures() == []


def test_overwrite_decides_what_is_done_again(folder, tmp_path, encoders):
    store = store_at(tmp_path, encoders)
    video = [("a", folder / "a.mp4")]
    extract(video, store, encoders)
    whole = store.path_of("a").read_bytes()
    assert extract(video, store, encoders, overwrite="always").n_done == 1
    for overwrite in ("never", "stale"):  # what cannot be read is made again
        store.path_of("a").write_bytes(whole[:100])
        assert extract(video, store, encoders, overwrite=overwrite).n_done == 1
        assert store.read("a").n_segments == 3
        assert extract(video, store, encoders, overwrite=overwrite).n_skipped == 1
    other = tiny_encoders(seed=1)
    features = dataclasses.replace(store.read("a"), spec=other.spec)
    write_features(store.path_of("a"), features)
    assert extract(video, store, encoders, overwrite="never").n_skipped == 1
    assert extract(video, store, encoders, overwrite="stale").n_done == 1
    with pytest.raises(UnknownNameError) as caught:
        extract(video, store, encoders, overwrite="allways")
    assert "always" in caught.value.hint


def test_a_store_of_other_features_is_refused(folder, tmp_path, encoders):
    store = store_at(tmp_path, encoders)
    with pytest.raises(FingerprintError, match="visual_weights"):
        extract([("a", folder / "a.mp4")], store, tiny_encoders(seed=1))


def test_one_id_for_two_files_is_refused(folder, tmp_path, encoders):
    pair = [("a", folder / "a.mp4"), ("a", folder / "b.mp4")]
    with pytest.raises(UsageError, match="'a'"):
        extract(pair, store_at(tmp_path, encoders), encoders)


@pytest.mark.parametrize("numbers", [{"workers": -1}, {"batch_size": 0}, {"n_segments": -1}])
def test_numbers_that_make_no_sense(folder, tmp_path, encoders, numbers):
    with pytest.raises(UsageError):
        extract([("a", folder / "a.mp4")], store_at(tmp_path, encoders), encoders, **numbers)


def test_an_interrupt_keeps_what_is_done(folder, tmp_path, encoders):
    store = store_at(tmp_path, encoders)

    def interrupt(done, _total, _what):
        if done == 2:
            raise KeyboardInterrupt

    good = [pair for pair in videos_of(folder) if pair[0] != "bad"]
    with pytest.raises(KeyboardInterrupt):
        extract(good, store, encoders, workers=0, progress=interrupt)
    assert len(store.video_ids()) == 2
    assert extract(good, store, encoders, workers=0).n_skipped == 2


def test_a_name_that_is_not_utf8_costs_itself_alone(folder, tmp_path, encoders):
    odd = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    shutil.copy(folder / "a.mp4", odd)
    store = store_at(tmp_path / "store", encoders)
    report = extract([(odd.stem, odd), ("a", folder / "a.mp4")], store, encoders, workers=0)
    assert report.n_done == 1
    assert "not UTF-8" in report.failures[0].reason
    assert len(store.failures()) == 1


def test_ids_that_can_name_no_file_cost_themselves_alone(folder, tmp_path, encoders):
    path, store = folder / "a.mp4", store_at(tmp_path, encoders)
    seen = []
    odd = ["x" * 300, "動" * 90, "a/b"]
    report = extract(
        [(odd[0], path), ("a", path), (odd[1], path), (odd[2], path), ("z", path)],
        store,
        encoders,
        workers=0,
        progress=lambda done, total, what: seen.append((done, total)),
    )
    assert (report.n_done, report.n_skipped) == (2, 0)
    assert sorted(failure.video_id for failure in report.failures) == sorted(odd)
    reasons = {failure.video_id: failure.reason for failure in report.failures}
    assert "File name too long" in reasons[odd[0]]
    assert "File name too long" in reasons[odd[1]]
    assert store.video_ids() == ["a", "z"]
    recorded = (tmp_path / "failures.jsonl").read_text(encoding="utf-8")
    assert recorded.count("\n") == 3
    assert seen[-1] == (5, 5)
    left = sorted(path.name for path in (tmp_path / "videos").iterdir())
    assert left == ["a.h5", "z.h5"]


def test_a_hash_that_is_known_is_not_taken_again(folder, encoders):
    known = "0123456789abcdef" * 4  # which the file has not
    features = extract_video(folder / "a.mp4", encoders, sha256=known)
    assert features.source_sha256 == known


class Dazzled(torch.nn.Module):
    """A network that answers bright pictures with NaN."""

    def __init__(self, trunk):
        super().__init__()
        self.trunk = trunk

    def forward(self, pictures):
        maps = self.trunk(pictures)
        maps[pictures.mean((1, 2, 3)) > 1.5] = torch.nan
        return maps


def test_features_that_are_nan_cost_their_video_alone(folder, tmp_path, encoders):
    bright = (np.full((48, 64, 3), 255, np.uint8) for _ in range(16))
    write_clip(tmp_path / "bright.mp4", bright, 8, None, 22050)
    videos = [("a", folder / "a.mp4"), ("bright", tmp_path / "bright.mp4")]
    visual = dataclasses.replace(encoders.visual, network=Dazzled(encoders.visual.network))
    store = store_at(tmp_path / "store", encoders)
    report = extract(
        [*videos, ("z", folder / "b.mp4")],
        store,
        dataclasses.replace(encoders, visual=visual),
        workers=0,
    )
    assert store.video_ids() == ["a", "z"]
    assert [failure.video_id for failure in report.failures] == ["bright"]
    assert "visual" in report.failures[0].reason
    assert "NaN" in report.failures[0].reason
