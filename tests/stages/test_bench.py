import json
import math
import sys

import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits
from tiny_encoders import tiny_encoders

from avloc.artifacts import read_features
from avloc.decoding.clip_decoding import decode_clip
from avloc.errors import MediaError, UsageError
from avloc.media import probe
from avloc.stages import bench, bench_comparison, bench_extraction
from avloc.stages.bench_clips import make_clips
from avloc.stages.bench_training import measure_epoch


@pytest.fixture(autouse=True)
def short_measurements(monkeypatch):
    monkeypatch.setattr(bench_extraction, "_NETWORK_SECONDS", 0.05)


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
    speed = bench_extraction.measure_extraction(
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

    def pools():  # torch's is not used: a decoding process has not loaded it
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    def watch(task):
        seen.append(pools())
        return decode_clip(task)

    monkeypatch.setattr(bench_extraction, "decode_clip", watch)
    with threadpool_limits(2):  # whatever the tests run with
        before = pools()
        clip = make_clips(tmp_path, 1, 96, 64)[0]
        n_frames, seconds = bench_extraction.measure_decoding(clip, tiny_encoders(fps=8))
        assert pools() == before
    assert max(before) == 2
    assert {n for of_clip in seen for n in of_clip} == {1}
    assert (n_frames, len(seen)) == (80, 3)
    assert seconds > 0


def test_a_clip_that_cannot_be_decoded_is_named(tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    with pytest.raises(MediaError, match=r"bad\.mp4"):
        bench_extraction.measure_extraction(
            [("bad", tmp_path / "bad.mp4")], tiny_encoders(), tmp_path
        )


def test_an_epoch_is_measured_with_its_parts():
    speed = measure_epoch(torch.device("cpu"), 6, batch_size=4)
    assert speed["n_rows"] == 6
    assert 0 < speed["feed_seconds"] < speed["epoch_seconds"]
    assert speed["product_seconds"] > 0
    assert all(math.isfinite(value) for value in speed.values())


def test_configurations_take_turns_and_each_is_compared_within_its_round():
    calls = []

    def measure(options, files):
        calls.append(options.get("workers", "1"))
        speed = 10.0 * len(calls) * (2 if options.get("workers") else 1)
        return {"machine": "a lathe", "n_frames": 8, "frames_per_second": speed, "ratio": [1.0]}

    progress = []
    compared = bench_comparison.compare(
        {"visual": "x"}, [], ["workers=2"], 3, lambda *call: progress.append(call), measure
    )
    assert calls == ["1", "2", "2", "1", "1", "2"]
    assert compared.names == ("as given", "workers=2")
    assert compared.measures() == ["frames_per_second"]
    assert compared.values("frames_per_second", 0) == [10, 40, 50]
    assert compared.values("frames_per_second", 1) == [40, 60, 120]
    assert compared.ratios("frames_per_second", 1) == [4.0, 1.5, 2.4]
    written = json.loads(json.dumps(compared.as_dict()))
    assert written["machine"] == "a lathe"
    assert written["configurations"][1]["frames_per_second"] == {
        "median": 60,
        "lowest": 40,
        "highest": 120,
        "ratio": {"median": 2.4, "lowest": 1.5, "highest": 4.0},
    }
    assert written["rounds"][2]["workers=2"]["frames_per_second"] == 120
    assert [done for done, _, _ in progress] == list(range(7))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("eager", "'eager' is not KEY=VALUE"),
        ("runtime=", "'runtime=' is not KEY=VALUE"),
        ("runtime=eager,", "'' is not KEY=VALUE"),
        ("speed=2", "'speed'"),
        ("checkout=/nowhere", "/nowhere is not a checkout of avloc"),
    ],
)
def test_a_wrong_configuration_is_refused_before_anything_is_measured(text, complaint):
    with pytest.raises(UsageError, match=complaint):
        bench.bench(against=[text])


STUB = """
import json, os, sys
if "lost" in sys.argv: sys.exit("error: no such device")
print(json.dumps({"said": sys.argv[1:], "path": os.environ["PYTHONPATH"], "in": os.getcwd()}))
"""


def test_a_turn_is_the_command_in_a_process_of_its_own(tmp_path, monkeypatch):
    (tmp_path / "stub.py").write_text(STUB, encoding="utf-8")
    monkeypatch.setattr(
        bench_comparison, "_launcher", lambda: [sys.executable, str(tmp_path / "stub.py")]
    )
    (tmp_path / "old" / "avloc").mkdir(parents=True)
    options = {"runtime": "eager", "offline": "", "checkout": str(tmp_path / "old")}
    speed = bench_comparison.run_bench(options, ["/clips/a.mp4"])
    options = ["--runtime", "eager", "--offline", "--rounds", "1", "--format", "json"]
    assert speed["said"] == ["bench", *options, "/clips/a.mp4"]
    assert speed["path"] == speed["in"] == str(tmp_path / "old")
    with pytest.raises(UsageError, match=r"bench --device lost failed: error: no such device"):
        bench_comparison.run_bench({"device": "lost"}, [])
