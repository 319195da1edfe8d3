"""kill -9 of a whole process group at 40 moments of a running extraction, or at 200.

200 with ``make test-all``: the tests marked exhaustive kill at other moments.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from extraction_server import Runs
from test_decoding_processes import assert_dead
from test_extraction import assert_same
from tiny_encoders import Film

from avloc.artifacts import FeatureStore

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]  # 150 kills take minutes

N_CLIPS = 8
N_IN_ONE_PROCESS, N_MORE_IN_ONE_PROCESS = 30, 150
N_WITH_PROCESSES, N_MORE_WITH_PROCESSES = 8, 10
N_OF_THE_COMMAND = 2


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Good clips, so short that much of the time is writing, and a bad one amid them."""
    folder = tmp_path_factory.mktemp("clips")
    for k in range(N_CLIPS):
        Film(1.0 + k % 2, rate=2, seed=k, has_sound=k == 5).write(folder / f"{k}.mp4")
    (folder / "3-bad.mp4").write_bytes(b"this is not a film" * 100)
    return [(path.stem, path) for path in sorted(folder.glob("*.mp4"))]


@pytest.fixture(scope="module")
def reference(videos, tmp_path_factory):
    """What a run gives that nobody kills."""
    root = tmp_path_factory.mktemp("reference") / "store"
    with Runs() as runs:
        runs.begin(videos, root)
        assert runs.end() == {"n_done": N_CLIPS, "n_skipped": 0, "failed": ["3-bad"]}
    store = FeatureStore.open(root)
    return {video_id: store.read(video_id) for video_id in store.video_ids()}


def files_in(root: Path) -> list[str]:
    return [path.name for path in (root / "videos").glob("*")]  # the hidden ones as well


def written_in(root: Path) -> list[str]:
    return [name for name in files_in(root) if not name.endswith(".lock")]  # which is a claim


def finished_in(root: Path) -> list[str]:
    return [name for name in files_in(root) if not name.startswith(".")]


class Witness:
    """Looks at a store after every kill, and remembers what it saw.

    Attributes:
        n_amid_writing: kills that fell while a file was half-written.
        n_wanted: videos that a finished run has.
    """

    def __init__(self, root: Path, reference: dict, copies: int = 1) -> None:
        self.root = root
        self.n_amid_writing = 0
        self._reference = reference
        self.n_wanted = len(reference) * copies
        self._seen: dict[str, tuple[int, int]] = {}
        self._n_partial = 0

    @property
    def n_finished(self) -> int:
        """Videos that were finished when it looked last."""
        return len(self._seen)

    def look(self) -> None:
        """Check everything in the store."""
        if not (self.root / "store.json").exists():
            assert not self._seen
            assert not any((self.root / "videos").glob("[!.]*"))
            return
        store = FeatureStore.open(self.root)
        visible = {path.name for path in self.root.iterdir() if not path.name.startswith(".")}
        assert visible <= {"store.json", "failures.jsonl", "videos"}
        assert {failure.video_id.partition("+")[0] for failure in store.failures()} <= {"3-bad"}
        self._look_at_files(store)

    def _look_at_files(self, store: FeatureStore) -> None:
        names = files_in(self.root)
        hidden = [name for name in names if name.startswith(".")]
        partial = [name for name in hidden if name.endswith(".partial.h5")]
        assert all(name.endswith(".lock") for name in set(hidden) - set(partial))
        self.n_amid_writing += len(partial) > self._n_partial
        self._n_partial = len(partial)
        files = {name: (self.root / "videos" / name).stat() for name in set(names) - set(hidden)}
        marks = {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in files.items()}
        assert marks.items() >= self._seen.items()  # what was finished is left as it was
        for name in marks.keys() - self._seen.keys():
            video_id = name.removesuffix(".h5")
            assert_same(store.read(video_id), self._reference[video_id.partition("+")[0]])
        self._seen = marks

    def complete(self, runs: Runs, videos: list) -> None:
        """Let a run go on to the end: it does what is missing and nothing else."""
        n_finished = self.n_finished
        runs.begin(videos, self.root)
        report = runs.end()
        assert (report["n_skipped"], report["n_done"]) == (n_finished, self.n_wanted - n_finished)
        self.look()
        assert self.n_finished == self.n_wanted


def kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it came to its end before
        os.killpg(group, signal.SIGKILL)


def seconds_of_a_run(runs: Runs, videos: list, root: Path) -> float:
    began = time.monotonic()
    runs.begin(videos, root)
    runs.end()
    return time.monotonic() - began


def kill_at_random(runs: Runs, videos: list, witness: Witness, draw, seconds: float) -> bool:
    """Begin a run and kill it, if it does not end before; tells whether it was killed."""
    group = runs.begin(videos, witness.root)
    time.sleep(draw.uniform(0, seconds))
    kill(group)
    is_killed = runs.end() is None
    witness.look()
    return is_killed


def at_each_push_and_all(number, more):
    """Kills and a seed: few at each push, and more at other moments."""
    few_and_many = [(number, 0), pytest.param(more, 20, marks=pytest.mark.exhaustive)]
    return pytest.mark.parametrize(("n_kills", "seed"), few_and_many)


@at_each_push_and_all(N_IN_ONE_PROCESS, N_MORE_IN_ONE_PROCESS)
def test_killed_at_any_moment(videos, reference, tmp_path, n_kills, seed):
    draw = np.random.default_rng(seed)
    n_amid_writing, finished = 0, []
    with Runs() as runs:
        seconds = min(seconds_of_a_run(runs, videos, tmp_path / f"whole-{k}") for k in range(3))
        while len(finished) < n_kills or len(set(finished)) < 5:  # they fall everywhere
            witness = Witness(tmp_path / f"{len(finished)}", reference)
            for _ in range(4):  # all but the first go on where another was killed
                left = seconds * (1 - witness.n_finished / witness.n_wanted)
                if not kill_at_random(runs, videos, witness, draw, left):
                    break
                finished.append(witness.n_finished)
            n_amid_writing += witness.n_amid_writing
            witness.complete(runs, videos)
    assert n_amid_writing >= n_kills // 10  # a third, as measured


def kill_one_store_again_and_again(videos, reference, root, n_kills, seed):
    """Kill runs that have decoding processes: each goes on where the one before was killed."""
    draw = np.random.default_rng(seed)
    many = [(f"{video_id}+{k}", path) for k in range(15) for video_id, path in videos]
    witness = Witness(root, reference, copies=15)
    with Runs() as runs:
        for number in range(n_kills):
            # a third of the kills are after a video is finished, a third after one is begun, and
            # a third while processes start
            awaited = finished_in if number % 3 == 1 else written_in
            before = set(awaited(root))
            group = runs.begin(many, root, workers=2)
            while number % 3 and before.issuperset(awaited(root)):
                time.sleep(0.005)
            time.sleep(draw.uniform(0, 0.2 if number % 3 else 0.5))
            kill(group)
            assert runs.end() is None
            assert_dead(group)
            witness.look()
        assert 0 < witness.n_finished < witness.n_wanted
        witness.complete(runs, many)


@at_each_push_and_all(N_WITH_PROCESSES, N_MORE_WITH_PROCESSES)
def test_killed_with_its_decoding_processes(videos, reference, tmp_path, n_kills, seed):
    what = videos, reference
    with ThreadPoolExecutor(2) as both:
        begun = [
            both.submit(
                kill_one_store_again_and_again, *what, tmp_path / f"{k}", n_kills // 2, seed + k
            )
            for k in range(2)
        ]
        for one in begun:
            one.result()


def start_command(folder: Path, artifacts: Path) -> subprocess.Popen:
    options = "--visual efficientnet-lite0 --audio logmel --fps 1 --workers 1 --offline"
    return subprocess.Popen(
        [sys.executable, "-m", "avloc", "extract", folder, *options.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "AVLOC_ARTIFACTS": str(artifacts)},
        start_new_session=True,
    )


def test_the_command_goes_on_after_a_kill(videos, tmp_path):
    folder, root = videos[0][1].parent, tmp_path / "features"
    n_finished = []
    for least in range(1, N_OF_THE_COMMAND + 1):
        command = start_command(folder, tmp_path)
        while len(list(root.glob("videos/[!.]*"))) < least:
            assert command.poll() is None
            time.sleep(0.002)
        kill(command.pid)
        command.communicate()
        assert_dead(command.pid)
        store = FeatureStore.open(root)
        n_finished.append(sum(store.read(name).n_segments > 0 for name in store.video_ids()))
    _, said = (command := start_command(folder, tmp_path)).communicate(timeout=120)
    assert command.returncode == 3  # one clip is bad
    assert f"{N_CLIPS - n_finished[-1]} extracted, {n_finished[-1]} already there, 1 failed" in said
    assert json.loads((root / "store.json").read_text())["fingerprint"] == store.fingerprint
