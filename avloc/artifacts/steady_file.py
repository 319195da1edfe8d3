"""A file that HDF5 can write to on a disk that fills up.

When a write fails, HDF5 can neither finish nor close its file, and at last crashes the process
(2.0). So it is given a file whose writes never fail; the error is raised afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from avloc.artifacts.address import Address
from avloc.artifacts.atomic import atomic_path
from avloc.artifacts.objects import new_object

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class SteadyFile(FileIO):
    """An open file that ignores all writes after the first failure."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "r+")
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the first failure, an OSError."""
        if self._error is not None:
            raise self._error

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all of it, in as many system calls as that takes."""
        rest = memoryview(data).cast("B")
        n_bytes = len(rest)
        while len(rest) and self._error is None:
            rest = rest[self._attempt(super().write, rest) :]
        return n_bytes

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read back; zeros after a failure."""
        if self._error is None:
            return super().readinto(buffer) or 0
        whole = memoryview(buffer).cast("B")
        whole[:] = bytes(len(whole))
        return len(whole)

    def truncate(self, size: int | None = None, /) -> int:
        """Set the file's length."""
        return self._attempt(super().truncate, size)

    def _attempt(self, call: Callable[..., int], argument: object) -> int:
        try:
            return call(argument) if self._error is None else 0
        except OSError as error:
            self._error = error
            return 0


@contextmanager
def steady_file(target: Path | str | Address) -> Iterator[SteadyFile]:
    """Yield a new file that appears at ``target`` if all writes succeed; else `OutputError`."""
    new = new_object(target) if isinstance(target, Address) else atomic_path(target)
    with new as temporary, SteadyFile(temporary) as file:
        try:
            yield file
        finally:
            file.check()
