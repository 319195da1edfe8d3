"""The commands and code of README and ``docs/``, as a reader would type them."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from avloc.cli import main

ROOT = Path(__file__).parents[1]
# README last: it repeats what the pages explain
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
_BLOCK = re.compile(
    r'^```(?P<language>\w*)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$', re.M | re.S
)
# as written but for encoders whose weights need no network, and for sizes; the last of two wins
_ENCODERS = "--visual efficientnet-lite0 --audio logmel"
SMALLER = {
    "avloc extract clips --visual efficientnet-lite0 --audio efficientat-mn04": _ENCODERS,
    "avloc extract": f"{_ENCODERS} --fps 1",
    "avloc train": "--epochs 2",
    "avloc reproduce inconsistency": "--shares 0,100 --seeds 1 --set epochs=1 --jobs 1",
    "avloc reproduce": "--seeds 1 --supervision full --set epochs=1 --jobs 1",
    "avloc bench": f"--clips 1 --size 96x64 --rounds 1 {_ENCODERS}",
    "avloc open": "--offline",
    "avloc localize clip.mp4 --model open": "--offline",
    "avloc synth": "--train 2 --val 1 --test 1",
}
RECIPES = ("drawn", "photos")
"""Recipes that make hundreds of clips; `write_small_recipes` writes smaller ones."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file to write it to, and its text."""

    language: str
    title: str
    text: str

    @property
    def lines(self) -> Iterator[str]:
        """Its commands, without comments."""
        for line in self.text.replace("\\\n", " ").splitlines():
            if command := " ".join(line.partition("#")[0].split()):
                yield command


def blocks_of(page: Path) -> list[Block]:
    """Return a page's fenced blocks in order."""
    fenced = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Block(match["language"], match["title"] or "", match["text"]) for match in fenced]


def commands_of(page: Path) -> list[str]:
    """Return every line of a page that is for a shell."""
    shells = [block for block in blocks_of(page) if block.language in ("", "sh")]
    return [line for block in shells for line in block.lines]


def lines_of_its_own(page: Path) -> set[str]:
    """Return a page's commands that no page before it in `PAGES` has."""
    before = PAGES[: PAGES.index(page)]
    return set(commands_of(page)) - {line for other in before for line in commands_of(other)}


def write_small_recipes(folder: Path) -> None:
    """Write each of `RECIPES` with a handful of clips."""
    for name in RECIPES:
        whole = (ROOT / "pipelines" / f"{name}.toml").as_posix()
        sizes = "[synthesis]\nn_train = 3\nn_val = 1\nn_test = 1\n"
        (folder / f"{name}.toml").write_text(f'extends = "{whole}"\n{sizes}')


def is_on_cluster(line: str) -> bool:
    """Tell whether a line needs a Ray cluster; tests/features/test_ray_extraction.py has one."""
    return "--engine ray" in line


def is_avloc(line: str) -> bool:
    """Tell whether a line runs avloc, at its beginning or behind a pipe."""
    return line.startswith("avloc ") or "| avloc " in line


def run(line: str) -> tuple[int, str]:
    """Run a line in the current folder; return its exit code and what it wrote.

    Of a line with pipes each program gets what the one before it wrote, and avloc runs in this
    process, which has torch already.
    """
    code, written, said = 0, "", ""
    for program in line.split(" | "):
        at_work = _run_avloc if program.startswith("avloc ") else _run_program
        code, written, errors = at_work(program, written)
        said += errors
        if code != 0:
            break
    return code, written + said


def _run_avloc(line: str, given: str) -> tuple[int, str, str]:
    line = line.replace("reproduce table1 table2", "reproduce table2")  # table1 has its own line
    for name in RECIPES:
        line = line.replace(f"--on {name}", f"--on {name}.toml")
    added = next((more for start, more in SMALLER.items() if line.startswith(start)), "")
    written, said = io.StringIO(), io.StringIO()
    argv = shlex.split(f"{line} {added}")
    code = 0
    with (
        mock.patch.object(sys, "argv", argv),
        mock.patch.object(sys, "stdin", io.StringIO(given)),
        contextlib.redirect_stdout(written),
        contextlib.redirect_stderr(said),
    ):
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return code, written.getvalue(), said.getvalue()


def _run_program(line: str, given: str) -> tuple[int, str, str]:
    here = Path("bin")
    here.mkdir(exist_ok=True)
    program = here / "python3"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    program.chmod(0o755)
    path = f"{here.absolute()}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", "-c", line],
        env={**os.environ, "PATH": path},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr
