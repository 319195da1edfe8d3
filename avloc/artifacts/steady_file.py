"""A file that HDF5 can write to on a disk that fills up.

When a write fails, HDF5 can neither finish nor close its file: it tries again at every turn,
writes a page of complaints to stderr each time, and at last brings the process down (2.0: a
segmentation fault). So it is handed a file whose writes do not fail; ours is told instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from avloc.artifacts.atomic import atomic_path

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class SteadyFile(FileIO):
    """An open file that goes on after the first failure, and writes nothing from then on.

    Args:
        path: a file that exists.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "r+")
        self._error: OSError | None = None

    def check(self) -> None:
        """Tell how the writing went so far.

        Raises:
            OSError: the first failure.
        """
        if self._error is not None:
            raise self._error

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all of it, in as many calls as the system makes of it."""
        rest = memoryview(data).cast("B")
        n_bytes = len(rest)
        while len(rest) and self._error is None:
            rest = rest[self._attempt(partial(super().write, rest)) :]
        return n_bytes

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read back; zeros once something is missing."""
        if self._error is None:
            return super().readinto(buffer) or 0
        whole = memoryview(buffer).cast("B")
        whole[:] = bytes(len(whole))
        return len(whole)

    def truncate(self, size: int | None = None, /) -> int:
        """Make it so long."""
        return self._attempt(partial(super().truncate, size))

    def _attempt(self, work: Callable[[], int]) -> int:
        try:
            return work() if self._error is None else 0
        except OSError as error:
            self._error = error
            return 0


@contextmanager
def steady_file(target: Path | str) -> Iterator[SteadyFile]:
    """Yield a new open file that appears at ``target`` when the block and all writes succeed.

    Raises:
        OutputError: it cannot be written; whatever else that made fail.
    """
    with atomic_path(target) as temporary, SteadyFile(temporary) as file:
        try:
            yield file
        finally:
            file.check()
