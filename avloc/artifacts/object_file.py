"""An object that HDF5 reads as a file, a few blocks of it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from avloc.artifacts.objects import ObjectInfo, reaching
from avloc.errors import AvlocError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK = 1 << 16  # bytes of a request


class ObjectFile(io.RawIOBase):
    """An object read here and there, in blocks: for what a file of features says of itself."""

    def __init__(self, info: ObjectInfo) -> None:
        super().__init__()
        self._address, self.n_bytes = info.address, info.n_bytes
        self._position = 0
        self._blocks: dict[int, bytes] = {}
        self.error: AvlocError | None = None
        """Why a block could not be read: HDF5 says only that it could not."""

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a position."""
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.n_bytes}[whence]
        self._position = begin + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read on; OSError if the object cannot be read."""
        target = memoryview(buffer).cast("B")
        number, first = divmod(self._position, _BLOCK)
        part = self._block(number)[first : first + len(target)]
        target[: len(part)] = part
        self._position += len(part)
        return len(part)

    def _block(self, number: int) -> bytes:
        begin = number * _BLOCK
        if begin >= self.n_bytes:
            return b""
        if number not in self._blocks:
            try:
                with reaching(self._address) as (system, path):
                    end = min(begin + _BLOCK, self.n_bytes)
                    self._blocks[number] = system.cat_file(path, start=begin, end=end)
            except AvlocError as error:
                self.error = error
                raise OSError(error.message) from error
        return self._blocks[number]
