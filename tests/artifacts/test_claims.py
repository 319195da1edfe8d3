"""Work is claimed while a process is at it, and what killed processes left is swept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from avloc.artifacts import atomic, atomic_path, claim, write_text
from avloc.errors import NameRefusedError

_CLAIMS = """
import sys, time
from avloc.artifacts import claim
with claim(sys.argv[1]) as is_mine:
    print(is_mine, flush=True)
    time.sleep(600)
"""
_WRITES = """
import sys, time
from avloc.artifacts import atomic_path
with atomic_path(sys.argv[1]) as temporary:
    print(temporary, flush=True)
    time.sleep(600)
"""


@contextmanager
def _running(program: str, target: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process at work, and the first line it printed."""
    arguments = [sys.executable, "-c", program, str(target)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_a_claim_is_held_by_one_and_ends_with_its_block(tmp_path: Path) -> None:
    with claim(tmp_path / "a.h5") as first, claim(tmp_path / "a.h5") as second:
        assert (first, second) == (True, False)
        with claim(tmp_path / "b.h5") as other:
            assert other
    with claim(tmp_path / "a.h5") as again:
        assert again
    assert list(tmp_path.iterdir()) == []


def test_a_claim_ends_with_a_killed_process(tmp_path: Path) -> None:
    target = tmp_path / "a.h5"
    with _running(_CLAIMS, target) as (process, said):
        assert said == "True"
        with claim(target) as is_mine:
            assert not is_mine
        process.send_signal(signal.SIGKILL)
        process.wait()
        with claim(target) as is_mine:
            assert is_mine
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_locked_a_claim_is_granted(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with claim(tmp_path / "file" / "a.h5") as is_mine:
        assert is_mine


@pytest.mark.usefixtures("nothing_swept")
def test_the_next_run_sweeps_what_a_killed_one_left_and_nothing_under_way(tmp_path: Path) -> None:
    with _running(_WRITES, tmp_path / "a.mp4") as (process, killed):
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert Path(killed).exists()
    with claim(tmp_path / "b.h5"), _running(_WRITES, tmp_path / "b.mp4") as (_, written):
        assert not Path(killed).exists()
        write_text(tmp_path / "c.csv", "")
        assert Path(written).exists()
        with claim(tmp_path / "b.h5") as is_mine:
            assert not is_mine


@pytest.mark.usefixtures("nothing_swept")
def test_what_other_machines_left_is_swept_after_a_day(tmp_path: Path) -> None:
    old, new = tmp_path / ".avloc.0000.1.partial.h5", tmp_path / ".avloc.0000.2.partial.h5"
    by_0_1_0 = tmp_path / ".store.x1y2.partial.json"
    for path in (old, new, by_0_1_0):
        path.touch()
    os.utime(old, (0, 0))
    os.utime(by_0_1_0, (0, 0))
    write_text(tmp_path / "a.csv", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == [new.name, "a.csv"]


@pytest.fixture
def nothing_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "_swept", set())


@pytest.mark.parametrize("letter", ["動", "🎬", "a"])
def test_every_legal_name_can_be_written(tmp_path: Path, letter: str) -> None:
    name = letter * (251 // len(letter.encode())) + ".csv"  # the file system takes 255 bytes
    write_text(tmp_path / name, "text")
    assert (tmp_path / name).read_text() == "text"


def test_a_name_that_is_too_long_is_refused_as_a_name(tmp_path: Path) -> None:
    with pytest.raises(NameRefusedError, match="cannot be written: File name too long"):
        write_text(tmp_path / ("動" * 84 + ".csv"), "text")
    assert list(tmp_path.iterdir()) == []


def test_a_file_takes_the_rights_of_its_process_and_leaves_other_threads_theirs(
    tmp_path: Path,
) -> None:
    before = os.umask(0o027)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        others = threading.Thread(
            target=lambda: [(tmp_path / f"other{n}").touch() for n in range(2000)]
        )
        others.start()
        for n in range(200):
            write_text(tmp_path / f"own{n}", "")
        others.join()
    finally:
        sys.setswitchinterval(interval)
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}


def test_a_temporary_file_is_short_whatever_its_target(tmp_path: Path) -> None:
    with atomic_path(tmp_path / ("a" * 60 + "." + "b" * 180)) as temporary:
        assert len(temporary.name) < 60
