import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_extraction import assert_same, store_at, videos_of
from tiny_encoders import Film, tiny_encoders

from avloc.errors import UsageError
from avloc.features import extract, parse_shard


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
