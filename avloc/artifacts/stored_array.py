"""Arrays that stay in their file: a part is read when it is asked for.

They are read through the system's cache, which all processes share, and not mapped: a mapped file
that is cut short ends the process that looks at it, and here it is an error with a name.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.errors import ArtifactError

_HINT = "Leave the features alone while a model is trained on them, and run it again."


@dataclass(frozen=True, slots=True)
class FileState:
    """A file, and by what a later change of it is noticed."""

    path: str
    n_bytes: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path | str, handle: int | None = None) -> FileState:
        """Return the state of a file, of an open one by its ``handle``; OSError if it is gone."""
        found = Path(path).stat() if handle is None else os.fstat(handle)
        return cls(str(path), found.st_size, found.st_mtime_ns)


@dataclass(frozen=True, slots=True, eq=False)
class StoredArray:
    """An array in C order in a file that is open only while a part of it is read.

    A part is read as `array[first:last]`, all of it by `np.asarray`. `ArtifactError` if the file
    is not what it was. It may be sent to another process: that takes no more than its path.
    """

    file: FileState
    offset: int  # bytes from the file's beginning
    dtype: np.dtype[Any]  # as it is stored; parts have the machine's byte order
    shape: tuple[int, ...]

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes in the file."""
        return len(self) * self._row_bytes

    @property
    def _row_bytes(self) -> int:
        return self.dtype.itemsize * math.prod(self.shape[1:])

    def __getitem__(self, part: slice) -> NDArray[Any]:
        """Read rows, all between a first and a last one."""
        first, last, _ = part.indices(len(self))
        rows = np.empty((max(0, last - first), *self.shape[1:]), self.dtype)
        self._fill(rows, first)
        return rows.astype(self.dtype.newbyteorder("="), copy=False)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:] if dtype is None else self[:].astype(dtype, copy=False)

    def pieces(self, n_bytes: int) -> Iterator[NDArray[Any]]:
        """Yield the rows, so many bytes at a time or a single row."""
        n_together = max(1, n_bytes // max(1, self._row_bytes))
        for first in range(0, len(self), n_together):
            yield self[first : first + n_together]

    def read_into(self, rows: NDArray[Any], first: int) -> None:
        """Read the rows from ``first`` on into memory of the same type."""
        if rows.dtype != self.dtype or not rows.flags.c_contiguous:
            rows[:] = self[first : first + len(rows)]
        else:
            self._fill(rows, first)

    def announce(self, first: int, n_rows: int) -> None:
        """Ask the system to read rows from the disk soon; where it cannot, nothing happens."""
        if not hasattr(os, "posix_fadvise"):
            return
        with suppress(OSError):  # which reading will report
            handle = os.open(self.file.path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                n_bytes = n_rows * self._row_bytes
                start = self.offset + first * self._row_bytes
                os.posix_fadvise(handle, start, n_bytes, os.POSIX_FADV_WILLNEED)
            finally:
                os.close(handle)

    def _fill(self, rows: NDArray[Any], first: int) -> None:
        path = self.file.path
        rest = rows.reshape(-1).view(np.uint8).data
        offset = self.offset + first * self._row_bytes
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                if FileState.of(path, handle) != self.file:
                    raise ArtifactError(f"{path} was changed while it was in use", _HINT)
                while rest:
                    if not (n_read := os.preadv(handle, [rest], offset)):
                        raise ArtifactError(f"{path} was cut short while it was in use", _HINT)
                    rest, offset = rest[n_read:], offset + n_read
            finally:
                os.close(handle)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise ArtifactError(f"{path} can no longer be read: {reason}", _HINT) from error
