"""A cluster of several nodes on this machine that loses a node and workers in mid-run."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from test_extraction import assert_same
from tiny_encoders import Film, tiny_encoders
from troubled_encoders import at_work, troubled_encoders, write_plain

import avloc
from avloc.artifacts import FeatureStore
from avloc.engine.cluster_options import ClusterOptions
from avloc.engine.ray_cluster import import_ray
from avloc.engine.shard import parse_shard
from avloc.features import extract
from avloc.features.cluster_extraction import extract_on_cluster
from avloc.features.worker import WorkSettings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed"),
]
N_CLIPS = 12


@pytest.fixture(scope="module")
def cluster():
    """Two nodes, the second of which will be lost."""
    with pytest.MonkeyPatch.context() as patch:
        tests = Path(__file__).parents[1]
        patch.setenv("PYTHONPATH", os.pathsep.join([str(tests.parent), str(tests)]))
        yield from _cluster(import_ray())


def _cluster(ray):
    from ray.cluster_utils import Cluster

    small = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=small)
    second = cluster.add_node(num_cpus=1, object_store_memory=80 << 20)
    try:
        ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
        yield cluster, second
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    films = [Film(1.0 + k % 2, rate=4, seed=k) for k in range(N_CLIPS)]
    return [(f"{k}", film.write(folder / f"{k}.mp4")) for k, film in enumerate(films)]


@pytest.fixture(scope="module")
def reference(videos, tmp_path_factory):
    """What one run on this machine gives."""
    encoders = tiny_encoders()
    store = FeatureStore.create(tmp_path_factory.mktemp("reference"), encoders.spec)
    extract(videos, store, encoders, workers=0)
    return store


def assert_as_reference(store, reference):
    assert store.video_ids() == reference.video_ids()
    for video_id in reference.video_ids():
        assert_same(store.read(video_id), reference.read(video_id))
        assert store.read(video_id).source == reference.read(video_id).source
    assert [path.name for path in (store.folder / "videos").glob(".*")] == []


def test_a_node_is_removed_and_a_worker_killed(cluster, videos, reference, tmp_path):
    nodes, second = cluster
    notes, done = tmp_path / "notes", []
    notes.mkdir()

    def disturb(n_ended, n_videos, what):
        workers = at_work(notes)
        lost = [pid for pid, node in workers.items() if node == second.node_id]
        others = [pid for pid in workers if pid not in lost]
        if lost and "removed" not in done:
            nodes.remove_node(second, allow_graceful=False)
            done.append("removed")
        elif others and "removed" in done and "killed" not in done:
            os.kill(others[0], signal.SIGKILL)
            done.append("killed")

    store, report = extract_on_cluster(
        videos,
        tmp_path / "store",
        partial(troubled_encoders, notes),
        WorkSettings(),
        cluster=ClusterOptions(),
        progress=disturb,
    )
    assert done == ["removed", "killed"]
    assert (report.n_done, report.n_skipped, report.failures) == (N_CLIPS, 0, ())
    assert_as_reference(store, reference)
    assert store.failures() == []
    assert len(at_work(notes)) == 3  # on two nodes, and in place of the one that was killed


def test_a_video_that_kills_its_worker_and_a_worker_that_hangs(
    cluster, videos, reference, tmp_path
):
    notes = tmp_path / "notes"
    notes.mkdir()
    white, black = write_plain(tmp_path / "w.mp4", 255), write_plain(tmp_path / "b.mp4", 0)
    store, report = extract_on_cluster(
        [*videos[:3], ("white", white), ("black", black), *videos[3:5]],
        tmp_path / "store",
        partial(troubled_encoders, notes),
        WorkSettings(workers=0),
        cluster=ClusterOptions(deadline=3.0, n_at_once=1),
    )
    assert (report.n_done, report.n_skipped) == (6, 0)
    (failure,) = report.failures
    assert (failure.video_id, failure.source) == ("white", str(white))
    assert failure.reason.endswith("died")
    assert store.failures() == [failure]
    assert store.video_ids() == sorted(["0", "1", "2", "3", "4", "black"])
    for video_id in ("0", "4"):
        assert_same(store.read(video_id), reference.read(video_id))


def test_two_engines_and_two_shards_end_as_one_run_would(cluster, videos, reference, tmp_path):
    encoders = tiny_encoders()
    first, second = parse_shard("1/2"), parse_shard("2/2")
    store = FeatureStore.create(tmp_path / "store", encoders.spec)

    def on_cluster(shard):
        part = [video for video in videos if shard(video[0])]
        settings = WorkSettings()
        options = ClusterOptions()
        return extract_on_cluster(part, store.root, tiny_encoders, settings, cluster=options)[1]

    def here(shard):
        part = [video for video in videos if shard(video[0])]
        return extract(part, store, encoders, workers=0)

    with ThreadPoolExecutor(2) as threads:
        runs = [threads.submit(on_cluster, first), threads.submit(here, second)]
        reports = [run.result() for run in runs]
    assert sum(report.n_done for report in reports) == N_CLIPS
    assert extract(videos, store, encoders, workers=0).n_skipped == N_CLIPS
    assert_as_reference(store, reference)


def test_videos_are_localized_as_on_one_machine(cluster, small_workspace, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"this is not a film" * 100)
    clips = [small_workspace.clips[0], bad, *small_workspace.clips[1:3]]
    options = {"artifacts": small_workspace.artifacts, "offline": True, "format": ("srt",)}
    here = avloc.localize(clips, out=tmp_path / "here", **options)
    told, report = [], tmp_path / "report.html"
    there = avloc.localize(
        clips, out=tmp_path / "there", engine="ray", report=report, each=told.append, **options
    )
    assert told == there
    assert [done.video for done in there] == [done.video for done in here] == clips
    for mine, other in zip(here, there, strict=True):
        assert str(mine.error) == str(other.error)
        assert [path.name for path in mine.written] == [path.name for path in other.written]
        if mine.timeline is not None:
            np.testing.assert_array_equal(mine.timeline.scores, other.timeline.scores)
            np.testing.assert_array_equal(mine.timeline.attention, other.timeline.attention)
            assert mine.timeline.events == other.timeline.events
            text = mine.written[1].read_text(encoding="utf-8")
            assert other.written[1].read_text(encoding="utf-8") == text
    assert report.stat().st_size > 10_000
