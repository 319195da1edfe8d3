import multiprocessing
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from test_extraction import assert_same, store_at, videos_of
from tiny_encoders import Film, tiny_encoders

from avloc.errors import UsageError
from avloc.features import extract, extract_video, transport, workers
from avloc.features.decoding import ClipClosed, ClipFailed, DecodingTask, PictureSegment
from avloc.features.transport import receive, send, widen
from avloc.features.workers import DecodingProcesses

pytestmark = pytest.mark.slow  # each starts processes that load torch


@pytest.fixture(scope="module")
def encoders():
    return tiny_encoders(fps=16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for k, letter in enumerate("abcde"):
        Film(4.0 + k, rate=16, seed=k).write(folder / f"{letter}.mp4")
    (folder / "bad.mp4").write_bytes(b"no film")
    return folder


def test_processes_give_the_same_features(folder, tmp_path, encoders):
    store = store_at(tmp_path, encoders)
    report = extract(videos_of(folder), store, encoders, workers=2)
    assert report.n_done == 5
    assert [failure.video_id for failure in report.failures] == ["bad"]
    for video_id in "abcde":
        assert_same(store.read(video_id), extract_video(folder / f"{video_id}.mp4", encoders))
    assert multiprocessing.active_children() == []


def test_a_process_that_dies_hangs_or_waits(folder, tmp_path, encoders):
    os.mkfifo(tmp_path / "hangs.mp4")  # opening it waits for a writer that never comes
    paths = {"killed": folder / "a.mp4", "hangs": tmp_path / "hangs.mp4", "good": folder / "b.mp4"}
    tasks = [DecodingTask(name, path, encoders.spec) for name, path in paths.items()]
    ends = {}
    with DecodingProcesses(1, silence_seconds=3.0) as processes:
        for task, message in processes.decode(tasks):
            if task.video_id not in ends and task.video_id == "killed":
                # 64 frames are 9 MB, the pipe holds 1: the process is amid this clip.
                os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
            if task.video_id not in ends and task.video_id == "good":
                time.sleep(3.5)  # a reader that is slow makes no hanging decoder
            ends[task.video_id] = message
    assert isinstance(ends["killed"], ClipFailed)
    assert "died (signal 9)" in ends["killed"].reason
    assert isinstance(ends["hangs"], ClipFailed)
    assert "hung" in ends["hangs"].reason
    assert isinstance(ends["good"], ClipClosed)


def test_a_process_that_dies_costs_a_run_one_clip(folder, tmp_path, encoders, monkeypatch):
    received = transport.receive
    victims = []

    def receive_then_kill(connection):
        message = received(connection)
        if isinstance(message, PictureSegment) and not victims:
            victims.append(multiprocessing.active_children()[0])
            victims[0].kill()
        return message

    monkeypatch.setattr(workers, "receive", receive_then_kill)
    good = [pair for pair in videos_of(folder) if pair[0] != "bad"][:3]
    store = store_at(tmp_path, encoders)
    report = extract(good, store, encoders, workers=1)
    assert report.n_done == 2
    assert [failure.video_id for failure in store.failures()] == ["a"]
    again = extract(good, store, encoders, workers=0)
    assert (again.n_done, again.n_skipped) == (1, 2)
    assert store.failures() == []


SCRIPT = """
import sys
from pathlib import Path
from avloc.artifacts import FeatureStore
from avloc.features import extract
from tiny_encoders import tiny_encoders
{guard}
    encoders = tiny_encoders(fps=16)
    spec = encoders.spec
    store = FeatureStore.create(Path(sys.argv[2]), spec.to_dict(), spec.fingerprint)
    videos = [(p.stem, p) for p in sorted(Path(sys.argv[1]).glob("*.mp4"))]
    extract(videos, store, encoders, workers=2, progress=lambda *said: print(*said, flush=True))
"""


def start_script(tmp_path, folder, guard):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(guard=guard))
    here = os.path.dirname(__file__)  # noqa: PTH120
    return subprocess.Popen(
        [sys.executable, str(script), str(folder), str(tmp_path / "store")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": here},
        start_new_session=True,
    )


def living_processes_of(group):
    listed = subprocess.run(
        ["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True
    )
    rows = (line.split() for line in listed.stdout.splitlines())
    return [stat for found, stat in rows if int(found) == group and not stat.startswith("Z")]


def test_an_interrupt_ends_every_process_at_once(tmp_path, tmp_path_factory):
    many = tmp_path_factory.mktemp("many")
    for k in range(8):
        Film(20.0, rate=16, seed=k).write(many / f"{k}.mp4")
    process = start_script(tmp_path, many, 'if __name__ == "__main__":')
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    began = time.monotonic()
    _, said = process.communicate(timeout=60)
    assert time.monotonic() - began < 10
    assert said.count("Traceback") == 1  # this script's own: the workers say nothing
    assert "KeyboardInterrupt" in said
    assert not living_processes_of(process.pid)


def test_a_script_without_a_guard_is_told_so(tmp_path, folder):
    _, said = start_script(tmp_path, folder, "if True:").communicate(timeout=120)
    assert UsageError.__name__ in said.splitlines()[-1]
    assert "before it could begin" in said.splitlines()[-1]


def test_messages_arrive_whole():
    there, here = multiprocessing.Pipe(duplex=False)
    widen(here)
    message = {"a": np.arange(6).reshape(2, 3), "b": np.zeros((0, 3), np.uint8), "c": "text"}
    send(here, message)
    received = receive(there)
    assert received["c"] == "text"
    np.testing.assert_array_equal(received["a"], message["a"])
    assert received["b"].shape == (0, 3)
    here.close()
    with pytest.raises(EOFError):
        receive(there)
