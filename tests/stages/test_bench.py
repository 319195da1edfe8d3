import json
import math

import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits
from tiny_encoders import tiny_encoders

from avloc.artifacts import read_features
from avloc.decoding.clip_decoding import decode_clip
from avloc.errors import MediaError, UsageError
from avloc.media import probe
from avloc.stages import bench
from avloc.stages.bench_clips import make_clips
from avloc.stages.bench_training import measure_epoch


@pytest.fixture(autouse=True)
def short_measurements(monkeypatch):
    monkeypatch.setattr(bench, "_NETWORK_SECONDS", 0.05)


def test_clips_are_what_was_asked_for(tmp_path):
    videos = make_clips(tmp_path, 10, 96, 64)
    assert len({video_id for video_id, _ in videos}) == 10
    infos = [probe(path) for _, path in videos]
    assert {info.frame_size for info in infos} == {(96, 64)}
    assert all(abs(info.duration - 10) < 0.1 for info in infos)
    assert all(info.has_audio for info in infos)
    assert len({path.read_bytes() for _, path in videos}) == 8  # the rest are links


@pytest.mark.parametrize("size", ["", "640", "640x", "x360", "-1x5", "1e3x9", "99999x2"])
def test_a_wrong_size_is_refused(size):
    with pytest.raises(UsageError, match="size"):
        bench.bench(size=size)


def test_the_parts_add_up(tmp_path):
    videos, calls = make_clips(tmp_path / "clips", 5, 96, 64), []
    speed = bench.measure_extraction(
        videos,
        tiny_encoders(fps=8),
        tmp_path / "stores",
        workers=0,
        rounds=2,
        progress=lambda *call: calls.append(call),
    )
    assert speed["n_frames"] == 80  # ten seconds of eight frames, all distinct
    assert speed["frames_per_second"] == pytest.approx(80 * speed["clips_per_second"])
    assert speed["visual_seconds"] == pytest.approx(80 / speed["pure_frames_per_second"])
    assert len(speed["ratio"]) == 2
    # decoding in this process is a part of the whole
    assert speed["decode_core_seconds"] < 3 / speed["clips_per_second"]
    for k in range(2):  # each round really extracted
        files = sorted((tmp_path / "stores" / f"run{k}" / "videos").glob("*.h5"))
        assert [read_features(file).n_segments for file in files] == [10] * 5
    assert [done for done, _, _ in calls] == sorted(done for done, _, _ in calls)
    assert json.loads(json.dumps(speed)) == speed


def test_decoding_is_measured_on_one_thread_as_a_decoding_process_has(tmp_path, monkeypatch):
    seen = []

    def pools():
        return [torch.get_num_threads(), *(pool["num_threads"] for pool in threadpool_info())]

    def watch(task):
        seen.append(pools())
        return decode_clip(task)

    monkeypatch.setattr(bench, "decode_clip", watch)
    with threadpool_limits(2):  # whatever the tests run with
        before = pools()
        n_frames, seconds = bench._decode(make_clips(tmp_path, 1, 96, 64)[0], tiny_encoders(fps=8))
        assert pools() == before
    assert max(before) == 2
    assert len(before) > 2  # torch's, and NumPy's at least
    assert {n for of_clip in seen for n in of_clip} == {1}
    assert (n_frames, len(seen)) == (80, 3)
    assert seconds > 0


def test_a_clip_that_cannot_be_decoded_is_named(tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    with pytest.raises(MediaError, match=r"bad\.mp4"):
        bench.measure_extraction([("bad", tmp_path / "bad.mp4")], tiny_encoders(), tmp_path)


def test_an_epoch_is_measured_with_its_parts():
    speed = measure_epoch(torch.device("cpu"), 6, batch_size=4)
    assert speed["n_rows"] == 6
    assert 0 < speed["feed_seconds"] < speed["epoch_seconds"]
    assert speed["product_seconds"] > 0
    assert all(math.isfinite(value) for value in speed.values())
