"""A disk that is soon full: a few kilobytes of memory, mounted where only a test can see it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_SKIPPED = (
    "this system lets nobody mount a disk of his own; the tests with a limit on file sizes run"
)


class SmallDisk:
    """A disk whose size can be changed.

    Attributes:
        root: its folder, as every program that this user runs can reach it.
    """

    def __init__(self, shell: subprocess.Popen[str], place: Path) -> None:
        self.root = Path(f"/proc/{shell.pid}/root{place}")
        self._shell, self._place = shell, place

    def resize(self, kilobytes: int) -> None:
        self._shell.stdin.write(f"mount -o remount,size={kilobytes}k {self._place}; echo $?\n")
        self._shell.stdin.flush()
        assert self._shell.stdout.readline() == "0\n"

    def fill(self) -> None:
        """Take all the space there is."""
        with pytest.raises(OSError, match="No space"), self._filler.open("wb", 0) as file:
            while True:
                file.write(bytes(4096))

    def free(self) -> None:
        """Give back what `fill` took."""
        self._filler.unlink()

    @property
    def _filler(self) -> Path:
        return self.root / "filler"


@contextmanager
def small_disk(place: Path) -> Iterator[SmallDisk]:
    """Mount one at a folder, in a namespace that a waiting shell keeps alive."""
    if shutil.which("unshare") is None:
        pytest.skip(f"{_SKIPPED} (no unshare)")
    mount = f"mount -t tmpfs -o size=64k tmpfs {place} && echo ready && exec bash"
    shell = subprocess.Popen(
        ["unshare", "--map-root-user", "--mount", "bash", "-c", mount],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        if shell.stdout.readline() != "ready\n":
            pytest.skip(f"{_SKIPPED} ({shell.stderr.read().strip()})")
        yield SmallDisk(shell, place)
    finally:
        shell.communicate("")
