import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_extraction import assert_same, store_at, videos_of
from tiny_encoders import Film, tiny_encoders

from avloc.engine.shard import named_shard, parse_shard
from avloc.errors import UsageError
from avloc.features import extract


@given(st.lists(st.text(min_size=1), unique=True), st.integers(1, 9))
def test_every_video_is_in_exactly_one_shard(video_ids, count):
    shards = [parse_shard(f"{index}/{count}") for index in range(1, count + 1)]
    for video_id in video_ids:
        assert sum(is_in_shard(video_id) for is_in_shard in shards) == 1


def test_shards_are_alike_in_size_and_stay_as_they_are():
    video_ids = [f"video{k}" for k in range(4000)]
    sizes = [sum(map(parse_shard(f"{index}/8"), video_ids)) for index in range(1, 9)]
    assert all(420 < size < 580 for size in sizes)  # 500 +- 4 standard deviations
    # A part that moved with a release would leave videos out. The sha256 of "a" begins with
    # ca978112ca1bbdca: 1 modulo 3, so it is in the second of three.
    assert 0xCA978112CA1BBDCA % 3 == 1
    assert [v for v in ("a", "b", "c", "-x1") if parse_shard("2/3")(v)] == ["a", "b", "-x1"]


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "-1/2", "1/0", "a/b", "1/2/3", "1.0/2"])
def test_no_shard(text):
    with pytest.raises(UsageError, match="not a shard"):
        parse_shard(text)


def test_shards_together_fill_a_store_as_one_run_does(tmp_path):
    encoders = tiny_encoders()
    for k in range(7):
        Film(2.0, seed=k).write(tmp_path / f"{k}.mp4")
    videos = videos_of(tmp_path)
    together, alone = store_at(tmp_path / "n", encoders), store_at(tmp_path / "1", encoders)
    extract(videos, alone, encoders, workers=0)
    for text in ("3/3", "1/3", "2/3"):
        own = [pair for pair in videos if parse_shard(text)(pair[0])]
        report = extract(own, together, encoders, workers=0)
        assert (report.n_done, report.n_skipped) == (len(own), 0)
    assert together.video_ids() == alone.video_ids()
    for video_id in alone.video_ids():
        assert_same(together.read(video_id), alone.read(video_id))


def task(number, count, least, most, step=""):
    values = {"ID": number, "COUNT": count, "MIN": least, "MAX": most, "STEP": step}
    return {f"SLURM_ARRAY_TASK_{name}": f"{value}" for name, value in values.items() if value != ""}


@pytest.mark.parametrize(
    ("ids", "step"), [(range(4), 1), (range(1, 5), ""), (range(10, 41, 10), 10), ([7], 1)]
)
def test_auto_is_the_part_of_a_task_of_a_slurm_array(ids, step):
    ids = list(ids)
    named = [named_shard("auto", task(k, len(ids), ids[0], ids[-1], step)) for k in ids]
    assert named == [f"{k}/{len(ids)}" for k in range(1, len(ids) + 1)]


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "SLURM_ARRAY_TASK_ID is not set"),
        ({"SLURM_ARRAY_TASK_ID": "3"}, "cannot read the job array"),
        (task("x", 4, 1, 4), "SLURM_ARRAY_TASK_ID=x"),
        (task(7, 3, 1, 7, 1), "not evenly spaced"),  # --array=1,3,7
        (task(9, 4, 1, 4, 1), "cannot tell the part of task 9"),
    ],
)
def test_auto_without_a_job_array_is_refused(environment, says):
    with pytest.raises(UsageError, match=says):
        named_shard("auto", environment)
