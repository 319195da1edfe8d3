"""Data on stdout and lists on stdin hold any file name, also one that is not UTF-8."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Shell

from avloc.cli import console

RAW = b"caf\xe9 \xff.mp4"
STRICT = {**os.environ, "PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8:strict"}


def run(*arguments: object, given: bytes = b"", **environment: str) -> subprocess.CompletedProcess:
    """Run avloc in a process whose streams refuse what is not UTF-8."""
    return subprocess.run(
        [sys.executable, "-m", "avloc", *map(str, arguments)],
        input=given,
        env=STRICT | environment,
        capture_output=True,
        check=False,
    )


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + RAW))
    path.touch()
    return path


def test_dry_run_prints_a_name_as_the_bytes_it_is(odd: Path) -> None:
    ended = run("extract", "--dry-run", odd.parent)
    assert ended.returncode == 0, ended.stderr
    _, path = ended.stdout.rstrip(b"\n").split(b"\t")
    assert path == os.fsencode(odd)


def test_what_is_printed_can_be_read_again(odd: Path) -> None:
    listed = run("extract", "--dry-run", "-", given=os.fsencode(odd) + b"\n")
    assert listed.returncode == 0, listed.stderr
    assert os.fsencode(odd) in listed.stdout


def test_a_message_about_such_a_name_is_one_line(odd: Path) -> None:
    gone = Path(os.fsdecode(os.fsencode(odd) + b".gone"))
    ended = run("extract", gone, "--visual", "efficientnet-lite0", "--audio", "logmel")
    assert ended.returncode == 1
    assert b"fault in avloc" not in ended.stderr
    assert b"\\udcff" in ended.stderr


def test_a_terminal_without_unicode_gets_escapes_and_no_fault(tmp_path: Path) -> None:
    (tmp_path / "Glockengeläut 鐘.mp4").touch()
    ended = run("extract", "--dry-run", tmp_path, PYTHONIOENCODING="ascii:strict")
    assert ended.returncode == 0, ended.stderr
    assert rb"Glockengel\xe4ut \u9418.mp4" in ended.stdout


def test_tables_hold_any_name(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    code = (
        "from avloc.cli import console\n"
        "console.accept_any_name()\n"
        "console.show_table('t', ['name'], [['a\\udcffb'], ['lone \\ud800']])\n"
        "console.show_facts([('name', 'a\\udcffb')])\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], env=STRICT, capture_output=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count(b"a\xffb") == 2
    assert rb"lone \ud800" in ended.stdout


@pytest.mark.parametrize("command", ["extract", "localize"])
def test_an_empty_list_on_stdin_is_an_error(
    avloc: Shell, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    ended = avloc(command, "-")
    assert ended.code == 1
    assert ended.out == ""
    assert ended.err.startswith("error: the list on stdin is empty. Write one path a line")
    assert ended.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_stream_that_cannot_be_changed_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a"))
    console.accept_any_name()
    assert sys.stdin.read() == "a"
