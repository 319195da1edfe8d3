import pytest
import torch
from tiny_encoders import tiny_encoders

from avloc.artifacts import read_features
from avloc.benchmark import (
    ClipShape,
    are_made_up,
    compare_runtimes,
    encoders_at_hand,
    make_clips,
    measure_extraction,
    measure_training,
)
from avloc.errors import MediaError, UsageError
from avloc.media import probe
from avloc.training import TrainingConfig

SMALL = ClipShape(96, 64, fps=8, seconds=2.0)


def test_clips_are_what_was_asked_for(tmp_path):
    videos = make_clips(tmp_path, 10, SMALL)
    assert len({video_id for video_id, _ in videos}) == 10
    infos = [probe(path) for _, path in videos]
    assert {info.frame_size for info in infos} == {(96, 64)}
    assert all(abs(info.duration - 2) < 0.1 for info in infos)
    assert all(info.has_audio for info in infos)
    assert len({path.read_bytes() for _, path in videos}) == 8  # the rest are links


@pytest.mark.parametrize("text", ["", "640", "640x", "x360", "-1x5", "1e3x9", "99999x2"])
def test_no_size(text):
    with pytest.raises(UsageError, match="size"):
        ClipShape.parse(text)


def test_what_is_measured_adds_up(tmp_path):
    videos, told = make_clips(tmp_path / "clips", 5, SMALL), []
    speed = measure_extraction(
        videos,
        tiny_encoders(fps=8),
        tmp_path / "stores",
        workers=0,
        rounds=2,
        pure_seconds=0.05,
        progress=lambda *said: told.append(said),
    )
    assert speed.n_frames == 16  # two seconds of eight frames, all distinct
    assert speed.frames_per_second == pytest.approx(16 * speed.clips_per_second)
    assert speed.visual_seconds == pytest.approx(16 / speed.pure_frames_per_second)
    assert len(speed.ratio) == 2
    assert 0 < speed.busy < 1
    # decoding in this process is a part of the whole
    assert speed.decode_core_seconds < 3 / speed.clips_per_second
    for k in range(2):  # each round did the real thing
        files = sorted((tmp_path / "stores" / f"run{k}" / "videos").glob("*.h5"))
        assert [read_features(file).n_segments for file in files] == [2] * 5
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)


def test_a_clip_that_cannot_be_measured_with_is_named(tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    with pytest.raises(MediaError, match=r"bad\.mp4"):
        measure_extraction(
            [("bad", tmp_path / "bad.mp4")], tiny_encoders(), tmp_path, pure_seconds=0.01
        )


def test_made_up_weights_are_told_and_mix_with_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("AVLOC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    made_up = encoders_at_hand("resnet18", "logmel", tmp_path, runtime="eager", device="cpu")
    own = encoders_at_hand("efficientnet-lite0", "logmel", tmp_path, runtime="eager", device="cpu")
    assert are_made_up(made_up)
    assert not are_made_up(own)
    again = encoders_at_hand("resnet18", "logmel", tmp_path, runtime="eager", device="cpu")
    assert made_up.spec.fingerprint == again.spec.fingerprint != own.spec.fingerprint


@pytest.mark.slow
def test_the_ways_to_run_a_trunk_give_the_same(tmp_path):
    speeds = compare_runtimes(
        "efficientnet-lite0", torch.device("cpu"), tmp_path, group=2, seconds=0.1
    )
    by_name = {speed.name: speed for speed in speeds}
    assert by_name["as built"].ratio == 1
    assert by_name["as built"].largest_error == 0
    assert {"folded", "channels-last", "eager (both)", "onnx"} <= set(by_name)
    assert all(speed.largest_error < 1e-5 for speed in speeds)


def test_an_epoch_is_measured_with_its_parts():
    speed = measure_training(6, torch.device("cpu"), TrainingConfig(batch_size=4))
    assert speed.n_rows == 6
    assert 0 < speed.feed_seconds < speed.epoch_seconds
    assert speed.product_seconds > 0
    assert speed.sentinel_ratio > 0
    assert len(speed.facts()) == 5
