"""Runs on one store at the same time share its videos, and none is lost with a run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from test_extraction import assert_same
from tiny_encoders import Film, tiny_encoders

import avloc
from avloc.artifacts import FeatureStore, claim
from avloc.features import extract_video

pytestmark = pytest.mark.slow  # each starts processes that load torch

N_CLIPS = 10
PROGRAM = """
import json, sys
from pathlib import Path
from avloc.artifacts import FeatureStore
from avloc.features import extract
from tiny_encoders import tiny_encoders

folder, root, workers = sys.argv[1:]
encoders = tiny_encoders(fps=16)
store = FeatureStore.create(root, encoders.spec)
videos = [(path.stem, path) for path in sorted(Path(folder).glob("*.mp4"))]
report = extract(videos, store, encoders, workers=int(workers))
print(json.dumps([report.n_done, report.n_skipped, len(report.failures)]))
"""
# in every process: a line for each clip that is hashed, which is once each time it is decoded
COUNTING = """
import os, sys
def note_hashed_clip(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".mp4"):
        handle = os.open({log!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, (os.path.basename(arguments[0]) + "\\n").encode())
        os.close(handle)
sys.addaudithook(note_hashed_clip)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for k in range(N_CLIPS):
        Film(6.0, rate=16, seed=k).write(folder / f"{k}.mp4")
    return folder


class Pair:
    """Two runs over one folder into one store, and how often each clip was decoded in all."""

    def __init__(self, folder, tmp_path, workers):
        self.root = tmp_path / "store"
        self._log = tmp_path / "decoded"
        site = COUNTING.format(log=str(self._log))
        (tmp_path / "sitecustomize.py").write_text(site, encoding="utf-8")
        (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
        self._command = [sys.executable, tmp_path / "program.py", folder, self.root, str(workers)]
        tests = Path(__file__).parents[1]
        paths = (tmp_path, tests, tests.parent)
        self._settings = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}

    def start(self):
        return subprocess.Popen(
            list(map(str, self._command)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._settings,
            start_new_session=True,
        )

    def n_decoded(self):
        return Counter(self._log.read_text(encoding="utf-8").split())

    def finished(self):
        return {path.stem for path in self.root.glob("videos/[!.]*.h5")}

    def claimed(self):
        return list(self.root.glob("videos/.avloc.*.lock"))


def report_of(run):
    said, complaints = run.communicate(timeout=200)
    assert (run.returncode, complaints) == (0, "")
    return json.loads(said)


def assert_complete(pair, folder):
    store = FeatureStore.open(pair.root)
    assert store.video_ids() == sorted(f"{k}" for k in range(N_CLIPS))
    encoders = tiny_encoders(fps=16)
    for video_id in ("0", "7"):
        expected = extract_video(folder / f"{video_id}.mp4", encoders)
        assert_same(store.read(video_id), expected)
    assert [path.name for path in (pair.root / "videos").glob(".*")] == []


# without decoding processes, two runs share a store in the tests below as well
@pytest.mark.parametrize("workers", [pytest.param(0, marks=pytest.mark.exhaustive), 2])
def test_two_runs_do_each_video_once(folder, tmp_path, workers):
    pair = Pair(folder, tmp_path, workers)
    runs = [pair.start(), pair.start()]
    reports = [report_of(run) for run in runs]
    assert sum(n_done for n_done, _, _ in reports) == N_CLIPS
    assert all(sum(report) == N_CLIPS for report in reports)
    assert set(pair.n_decoded().values()) == {1}
    assert len(pair.n_decoded()) == N_CLIPS
    assert_complete(pair, folder)


def test_a_run_does_what_one_that_is_killed_had_begun(folder, tmp_path):
    pair = Pair(folder, tmp_path, workers=0)
    first = pair.start()
    while not pair.claimed():
        assert first.poll() is None
        time.sleep(0.002)
    os.killpg(first.pid, signal.SIGSTOP)
    n_claimed = len(pair.claimed())
    second = pair.start()
    while len(pair.finished()) < N_CLIPS - n_claimed:
        assert second.poll() is None
        time.sleep(0.05)
    time.sleep(1.5)
    assert second.poll() is None  # the first may go on: it waits
    assert len(pair.finished()) == N_CLIPS - n_claimed
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    n_done, n_skipped, n_failed = report_of(second)
    assert (n_done + n_skipped, n_failed) == (N_CLIPS, 0)
    assert_complete(pair, folder)


def test_a_video_that_another_process_has_claimed_is_left_to_it(folder, tmp_path):
    pair = Pair(folder, tmp_path, workers=0)
    encoders = tiny_encoders(fps=16)
    store = FeatureStore.create(pair.root, encoders.spec)
    with claim(store.path_of("3")) as is_mine:
        assert is_mine
        run = pair.start()
        while len(pair.finished()) < N_CLIPS - 1:
            assert run.poll() is None
            time.sleep(0.05)
        store.write(extract_video(folder / "3.mp4", encoders, video_id="3"))
    assert report_of(run) == [N_CLIPS - 1, 1, 0]
    assert "3.mp4" not in pair.n_decoded()
    assert_complete(pair, folder)


def test_threads_share_the_videos_of_one_workspace(folder, tmp_path):
    def run(_number):
        return avloc.extract(
            folder,
            artifacts=tmp_path,
            visual="efficientnet-lite0",
            audio="logmel",
            fps=1,
            offline=True,
            workers=0,
        ).report

    with ThreadPoolExecutor(2) as threads:
        reports = list(threads.map(run, range(2)))
    assert sum(report.n_done for report in reports) == N_CLIPS
    assert all(report.n_done + report.n_skipped == N_CLIPS for report in reports)
    store = FeatureStore.open(tmp_path / "features")
    assert len(store.video_ids()) == N_CLIPS
    assert all(store.read(video_id).n_segments == 6 for video_id in store.video_ids())
