import dataclasses
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_extraction import assert_same, store_at, videos_of
from tiny_encoders import Film, tiny_encoders

from avloc.artifacts import Failure, VideoFeatures
from avloc.decoding.clip_decoding import DecodingTask
from avloc.decoding.decoding_pool import DecodingPool
from avloc.decoding.decoding_process import memory_shape
from avloc.features import extract, extract_video

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


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory):
    return Film(20.0, rate=16).write(tmp_path_factory.mktemp("long") / "long.mp4")


def test_processes_give_the_same_features(folder, tmp_path, encoders):
    store = store_at(tmp_path, encoders)
    report = extract(videos_of(folder), store, encoders, workers=2)
    assert report.n_done == 5
    assert [failure.video_id for failure in report.failures] == ["bad"]
    for video_id in "abcde":
        assert_same(store.read(video_id), extract_video(folder / f"{video_id}.mp4", encoders))
    assert multiprocessing.active_children() == []


def tasks_of(encoders, **paths):
    return [DecodingTask(name, path, encoders.spec) for name, path in paths.items()]


def the_process():
    return next(
        child for child in multiprocessing.active_children() if child.name == "pebble_pool_worker"
    )


def test_a_process_that_dies_hangs_or_waits(long_clip, folder, tmp_path, encoders):
    os.mkfifo(tmp_path / "hangs.mp4")  # opening it waits for a writer that never comes
    tasks = tasks_of(
        encoders, killed=long_clip, hangs=tmp_path / "hangs.mp4", good=folder / "b.mp4"
    )
    ends = {}
    with DecodingPool(1, encoders.spec, silence_seconds=6.0) as pool:
        for task, message in pool.decode(tasks):
            if not ends:
                the_process().kill()  # 20 s are more than the ring: it is amid this clip
            if task.video_id == "good" and "good" not in ends:
                time.sleep(6.5)  # a reader that is slow makes no hanging decoder
            ends[task.video_id] = message
    assert isinstance(ends["killed"], Failure)
    assert "died" in ends["killed"].reason
    assert isinstance(ends["hangs"], Failure)
    assert "hung" in ends["hangs"].reason
    assert isinstance(ends["good"], VideoFeatures)
    assert multiprocessing.active_children() == []


def test_a_process_that_dies_while_it_waits_for_us(long_clip, folder, encoders):
    tasks = tasks_of(encoders, killed=long_clip, good=folder / "b.mp4")
    ends = {}
    with DecodingPool(1, encoders.spec) as pool:
        for task, message in pool.decode(tasks):
            if not ends:
                time.sleep(3.0)  # by now it has filled its ring
                the_process().kill()
                time.sleep(0.5)
            ends[task.video_id] = message
    assert isinstance(ends["killed"], Failure)
    assert "died" in ends["killed"].reason
    assert isinstance(ends["good"], VideoFeatures)


@pytest.mark.parametrize(
    ("death", "reason"),
    [("os.kill(os.getpid(), signal.SIGSEGV)", "signal 11"), ("os._exit(9)", "exit code 9")],
)
def test_a_crash_in_a_codec_costs_one_clip(folder, tmp_path, encoders, death, reason, monkeypatch):
    # a module of the path's that every decoding process loads: the crash is in the process
    (tmp_path / "sitecustomize.py").write_text(CRASHING.format(death=death), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    good = [pair for pair in videos_of(folder) if pair[0] != "bad"]
    store = store_at(tmp_path / "store", encoders)
    report = extract(good, store, encoders, workers=1)
    assert [failure.video_id for failure in report.failures] == ["c"]
    assert f"died ({reason})" in report.failures[0].reason
    assert store.video_ids() == ["a", "b", "d", "e"]
    monkeypatch.delenv("PYTHONPATH")
    again = extract(good, store, encoders, workers=0)
    assert (again.n_done, again.n_skipped) == (1, 4)
    assert store.failures() == []


CRASHING = """
import os, signal, sys
def crash_at_c(event, arguments):
    if event == "open" and str(arguments[0]).endswith("c.mp4"):
        {death}
sys.addaudithook(crash_at_c)
"""


HEAVY = {"torch", "torchaudio", "torchvision", "librosa", "onnxruntime", "scipy", "sklearn"}


def test_a_decoding_process_is_small_and_has_not_loaded_torch(folder, encoders):
    with DecodingPool(1, encoders.spec) as pool:
        *_, (_, last) = pool.decode(tasks_of(encoders, b=folder / "b.mp4"))
        assert isinstance(last, VideoFeatures)
        process = the_process().pid
        # a builtin function: one of this module's would load this module, and torch, there
        asked = pool._lanes[0]._pool.schedule(eval, args=["list(__import__('sys').modules)"])
        loaded = {name.partition(".")[0] for name in asked.result()}
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    assert {"avloc", "numpy", "av"} <= loaded
    assert not HEAVY & loaded
    assert int(status.partition("VmHWM:")[2].split()[0]) < 120 << 10  # with torch 644 MB


def test_shared_memory_is_bounded_and_holds_two_segments_at_least(encoders):
    assert memory_shape(encoders.spec) == (6, 16, 224, 224, 3)
    assert math.prod(memory_shape(encoders.spec)) <= 16 * 2**20
    assert memory_shape(dataclasses.replace(encoders.spec, fps=1))[:2] == (8, 1)
    assert memory_shape(dataclasses.replace(encoders.spec, fps=120))[:2] == (2, 120)


SCRIPT = """
import sys
from pathlib import Path
from avloc.artifacts import FeatureStore
from avloc.features import extract
from tiny_encoders import tiny_encoders
{guard}
    encoders = tiny_encoders(fps=16)
    spec = encoders.spec
    store = FeatureStore.create(Path(sys.argv[2]), spec)
    videos = [(p.stem, p) for p in sorted(Path(sys.argv[1]).glob("*.mp4"))]
    extract(videos, store, encoders, workers=2, progress=lambda *said: print(*said, flush=True))
"""


def start_script(tmp_path, folder, guard):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(guard=guard))
    here = os.pathsep.join(
        str(Path(__file__).parents[k]) for k in (1, 2)
    )  # of tiny_encoders, avloc
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


def assert_dead(group: int) -> None:
    """Wait until nothing of a process group lives, at most until the suite's limit of a test."""
    while living_processes_of(group):  # a large process takes its time to go
        time.sleep(0.05)


def test_an_interrupt_ends_every_process_at_once(tmp_path, tmp_path_factory):
    many = tmp_path_factory.mktemp("many")
    for k in range(8):
        Film(20.0, rate=16, seed=k).write(many / f"{k}.mp4")
    process = start_script(tmp_path, many, 'if __name__ == "__main__":')
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    _, said = process.communicate()
    assert len(list((tmp_path / "store" / "videos").glob("[!.]*"))) < 8  # the rest was left
    assert said.count("Traceback") == 1  # this script's own: the workers say nothing
    assert "KeyboardInterrupt" in said
    assert_dead(process.pid)


def test_a_script_without_a_guard_works(tmp_path, folder, encoders):
    script = start_script(tmp_path, folder, "if True:")
    said, complaints = script.communicate(timeout=120)
    assert (script.returncode, complaints) == (0, "")
    assert len(said.splitlines()) == 6  # each clip ends once: the script ran once
    store = store_at(tmp_path / "store", encoders)
    assert store.video_ids() == list("abcde")
    assert_same(store.read("b"), extract_video(folder / "b.mp4", encoders))


DYING = """
import os, signal, sys
from pathlib import Path
if "spawn_main" in " ".join(sys.orig_argv):
    deaths = Path({deaths!r})
    deaths.write_text(deaths.read_text() + "x")
    if len(deaths.read_text()) <= {n}:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("n_deaths", [1, 1000])
def test_processes_that_are_killed_while_they_start(
    folder, tmp_path, encoders, n_deaths, monkeypatch
):
    deaths = tmp_path / "deaths"
    deaths.write_text("")
    program = DYING.format(deaths=str(deaths), n=n_deaths)
    (tmp_path / "sitecustomize.py").write_text(program, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    good = [pair for pair in videos_of(folder) if pair[0] != "bad"]
    report = extract(good, store_at(tmp_path / "store", encoders), encoders, workers=1)
    assert (report.n_done, report.failures) == (5, ())
    # where none comes to life, the clips are decoded here
    assert len(deaths.read_text()) == (2 if n_deaths == 1 else 3)


def test_a_process_that_dies_with_nothing_to_do_costs_no_clip(folder, encoders):
    def tasks():
        yield from tasks_of(encoders, a=folder / "a.mp4")
        the_process().kill()  # now the next clip is asked for
        time.sleep(0.5)
        yield from tasks_of(encoders, b=folder / "b.mp4", c=folder / "c.mp4")

    ends = {}
    with DecodingPool(1, encoders.spec) as pool:
        for task, message in pool.decode(tasks()):
            assert not isinstance(ends.get(task.video_id), VideoFeatures)
            ends[task.video_id] = message
    assert [type(ends[name]) for name in "abc"] == [VideoFeatures] * 3
