"""AVE's published layout: one array a file under a known key, one row an annotated event.

::

    visual_feature.h5   avadataset   (R, T, H, W, Dv) float64, 7.7 GiB for all of AVE
    audio_feature.h5    avadataset   (R, T, Da) float64
    labels.h5           avadataset   (R, T, C) float32, one-hot, background last
    *_order.h5          order        (n,) int64, the 0-based row numbers of a split

Arrays are read and written a row at a time, and absurd sizes refused before memory is allocated.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import DTypeLike, NDArray

from avloc.artifacts.hdf5 import in_words
from avloc.artifacts.steady_file import steady_file
from avloc.errors import DatasetError

VISUAL_FILE = "visual_feature.h5"
AUDIO_FILE = "audio_feature.h5"
_ARRAY_KEY = "avadataset"
_ORDER_KEY = "order"
_BLOCK_BYTES = 2**26
"""The most that is read ahead of the row asked for."""
_PIECE_BYTES = 2**28
"""The largest row, and the largest compressed piece, that is read into memory."""


class RowReader:
    """Reads the R rows of an array; fast in order, where a compressed piece is unpacked once."""

    def __init__(self, path: Path, array: h5py.Dataset) -> None:
        self.path = path
        self.n_rows: int = array.shape[0]
        self.row_shape: tuple[int, ...] = array.shape[1:]
        self._array = array
        # Rows that share a compressed piece are read together, or it is unpacked for each.
        n_in_piece = array.chunks[0] if array.chunks else 1
        row_bytes = math.prod(self.row_shape) * array.dtype.itemsize
        self._n_together = max(1, min(n_in_piece, _BLOCK_BYTES // row_bytes))
        self._first = 0
        self._block: NDArray[np.floating] = np.empty((0, *self.row_shape), array.dtype)

    def read(self, row: int) -> NDArray[np.floating]:
        """Return a row, not to be changed; DatasetError if the file is damaged there."""
        if not 0 <= row < self.n_rows:
            raise IndexError(f"row {row} of {self.n_rows}")
        if not 0 <= row - self._first < len(self._block):
            self._first = row - row % self._n_together
            with _damage_refused(self.path):
                self._block = self._array[self._first : self._first + self._n_together]
        values: NDArray[np.floating] = self._block[row - self._first]
        return values


@contextmanager
def open_rows(path: Path, rank: int) -> Iterator[RowReader]:
    """Yield the rows of a published array of ``rank`` dimensions; DatasetError if damaged."""
    with _opened(path, _ARRAY_KEY, rank, "f") as array:
        yield RowReader(path, array)


def read_order(path: Path, n_rows: int) -> NDArray[np.int64]:
    """Return the (n,) row numbers in an order file; DatasetError if out of range or repeated."""
    with _opened(path, _ORDER_KEY, 1, "iu") as array:
        if len(array) > n_rows:
            raise DatasetError(f"lists {len(array)} rows, and there are {n_rows}", path)
        with _damage_refused(path):
            numbers = np.asarray(array[:])
    outside = numbers[(numbers < 0) | (numbers >= n_rows)]
    if outside.size:
        message = f"lists row {outside[0]}, and rows are 0 to {n_rows - 1}"
        raise DatasetError(message, path, hint="It belongs to another annotation file.")
    values, counts = np.unique(numbers, return_counts=True)
    if values.size < numbers.size:
        raise DatasetError(f"lists row {values[counts > 1][0]} twice", path)
    return numbers.astype(np.int64)


class RowWriter:
    """Takes an array's rows one after the other."""

    def __init__(self, array: h5py.Dataset) -> None:
        self._array = array
        self.n_written = 0

    def append(self, values: NDArray[np.generic]) -> None:
        """Write the next row."""
        if values.shape != self._array.shape[1:]:
            # HDF5 would repeat it to fill the row
            raise ValueError(f"a row of {values.shape} among rows of {self._array.shape[1:]}")
        self._array[self.n_written] = values
        self.n_written += 1


@contextmanager
def create_rows(
    path: Path,
    shape: tuple[int, ...],
    dtype: DTypeLike = np.float64,
    attributes: Mapping[str, str] | None = None,
) -> Iterator[RowWriter]:
    """Yield a writer of a published array, which appears at ``path`` when all rows are in it.

    The attributes are texts about the array. AVE's features are float64, its labels float32.
    """
    with steady_file(path) as disk, h5py.File(disk, "w") as file:
        file.attrs.update(attributes or {})
        writer = RowWriter(file.create_dataset(_ARRAY_KEY, shape, dtype))
        yield writer
        if writer.n_written != shape[0]:
            raise ValueError(f"{path} was given {writer.n_written} of {shape[0]} rows")


def write_order(path: Path, numbers: list[int]) -> None:
    """Write the row numbers of a split; OutputError if the file cannot be written."""
    with steady_file(path) as disk, h5py.File(disk, "w") as file:
        file.create_dataset(_ORDER_KEY, data=np.array(numbers, dtype=np.int64))


@contextmanager
def _opened(path: Path, key: str, rank: int, kinds: str) -> Iterator[h5py.Dataset]:
    """Yield the array ``key`` of a file; errors of the caller's block are not the file's."""
    if not path.is_file():
        raise DatasetError("there is no such file", path)
    with _damage_refused(path):
        file = h5py.File(path, "r")
    with file:
        with _damage_refused(path):
            if problem := _problem(file, key, rank, kinds):
                raise DatasetError(problem, path)
        yield file[key]


def _problem(file: h5py.File, key: str, rank: int, kinds: str) -> str:
    names = list(file.keys())
    if key not in names or not isinstance(file.get(key, getlink=True), h5py.HardLink):
        return f"has no array {key!r} of its own; it has: {', '.join(names[:5]) or 'nothing':.200}"
    array = file[key]
    if not isinstance(array, h5py.Dataset) or array.shape is None:
        return f"{key} is not an array"
    if array.external or array.is_virtual:
        return f"the numbers of {key} are in other files"
    if array.ndim != rank:
        return f"has {array.ndim} dimensions {array.shape}, not {rank}"
    if array.dtype.kind not in kinds or array.dtype.itemsize > 8:
        numbers = "floating-point numbers" if kinds == "f" else "whole numbers"
        return f"holds {array.dtype}, not {numbers} of up to 64 bits"
    if 0 in array.shape[1:]:
        return f"is empty: its shape is {array.shape}"
    n_numbers = max(math.prod(array.shape[1:]), math.prod(array.chunks or (1,)))
    if (n_bytes := n_numbers * array.dtype.itemsize) > _PIECE_BYTES:
        return (
            f"a row or a compressed piece of its {array.shape} has {n_bytes:.3g} bytes, more than"
            f" {_PIECE_BYTES}: store it again without chunks, or with one row a chunk"
        )
    return ""


@contextmanager
def _damage_refused(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        reason = f"cannot be read as HDF5: {in_words(error):.200}"
        raise DatasetError(reason, path, hint="Get the file again.") from error
