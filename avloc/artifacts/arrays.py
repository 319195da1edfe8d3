"""Arrays out of a file that nobody vouches for, looked at before they are read.

avloc never compresses and stores each array in one piece, so what it reads takes no more
memory than the file takes on disk. A file that breaks this rule was not written by avloc:
a declared size is checked before anything is allocated for it, and no link is followed.
Every refusal is a ValueError in words; `avloc.artifacts.hdf5` names the file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5g, h5l, h5o, h5s
from numpy.typing import NDArray

REAL, WHOLE, TRUTH = "f", "iu", "b"
"""Kinds of numbers, as numpy's letters."""
MAX_TENSORS = 4096
_LARGEST_NUMBER = 8  # bytes
_POSSIBLY_NONE = ("R", "E")  # a split may have no rows and a video no events


@dataclass
class Budget:
    """The bytes that may still be read.

    It begins with the file's size: arrays that share their bytes on disk, under thousands of
    names, would otherwise take thousands of times as much in memory.
    """

    n_bytes: int

    def spend(self, n_bytes: int, name: str) -> None:
        """Take what an array asks for.

        Raises:
            ValueError: the file is not large enough to hold it.
        """
        if n_bytes > self.n_bytes:
            raise ValueError(f"{name} declares {n_bytes} bytes, more than the file can hold")
        self.n_bytes -= n_bytes


class Arrays:
    """The arrays of one group of a file.

    Shapes are asked for in the glossary's letters (``"T H W Dv"``): the first array that has a
    letter sets its size, every other must agree; a number stands for itself.

    Args:
        group: the open group.
        budget: shared by all groups of the file.
        sizes: letters whose sizes are known already.

    Attributes:
        sizes: what is known by now.
    """

    def __init__(self, group: h5g.GroupID, budget: Budget, **sizes: int) -> None:
        self._group = group
        self._budget = budget
        self.sizes = sizes

    def read(self, name: str, shape: str | None, kinds: str = REAL + WHOLE + TRUTH) -> NDArray[Any]:
        """Read an array of numbers or truth values.

        Args:
            name: its name in the group.
            shape: its dimensions in letters; None for any shape.
            kinds: letters of `REAL`, `WHOLE` and `TRUTH` that its type may be.

        Raises:
            ValueError: it is something else, elsewhere, or larger than the file.
            KeyError: there is none. OSError: it is damaged.
        """
        dataset = self._dataset(name)
        dtype = dataset.dtype
        if dtype.kind not in kinds or dtype.itemsize > _LARGEST_NUMBER:
            raise ValueError(f"{name} holds {dtype}, which does not belong there")
        self._check(dataset, name, shape)
        array = np.empty(dataset.shape, dtype.newbyteorder("="))
        dataset.read(h5s.ALL, h5s.ALL, array)
        if dtype.kind == TRUTH and array.view(np.uint8).max(initial=0) > 1:
            raise ValueError(f"{name} holds truth values that are neither true nor false")
        return array

    def find(self, name: str, shape: str, kinds: str = REAL + WHOLE + TRUTH) -> NDArray[Any] | None:
        """Read an array as `read` does, or return None where there is none."""
        return self.read(name, shape, kinds) if self.has(name) else None

    def has(self, name: str) -> bool:
        """Tell whether there is anything of that name."""
        return bool(self._group.links.exists(name.encode()))

    def read_texts(self, name: str, shape: str) -> tuple[str, ...]:
        """Read a column of texts.

        Raises:
            ValueError: as `read`, or it holds no UTF-8 texts.
        """
        dataset = self._dataset(name)
        if not _is_text(dataset.dtype):
            raise ValueError(f"{name} holds no texts")
        return tuple(self._cell(text, name) for text in self._entries(dataset, name, shape))

    def read_table(self, name: str, shape: str, columns: np.dtype[Any]) -> list[tuple[Any, ...]]:
        """Read a table of real numbers and texts, a tuple a line.

        Raises:
            ValueError: as `read`, or its columns are others.
        """
        dataset = self._dataset(name)
        found = dataset.dtype
        if found.names != columns.names or not all(
            _is_same(found[column], columns[column]) for column in found.names
        ):
            raise ValueError(f"{name} has the columns {found!s:.200}, not {columns}")
        entries = self._entries(dataset, name, shape)
        return [tuple(self._cell(cell, name) for cell in entry) for entry in entries]

    def group(self, name: str) -> Arrays:
        """Return the arrays of a group in this one.

        Raises:
            ValueError: it is no group, or a link to elsewhere.
        """
        group = self._opened(name)
        if not isinstance(group, h5g.GroupID):
            raise ValueError(f"{name} is no group")
        return Arrays(group, self._budget)

    def names(self) -> list[str]:
        """Return the names in the group.

        Raises:
            ValueError: there are more than a model has tensors, or one is no plain name.
        """
        n_names = self._group.get_num_objs()
        if n_names > MAX_TENSORS:
            raise ValueError(f"a group holds {n_names} arrays, more than {MAX_TENSORS}")
        names = [name.decode() for name in self._group]
        for name in names:
            if "/" in name or not name.strip(".") or not name.isprintable():
                raise ValueError(f"{name!r:.60} cannot name an array")
        return names

    def _opened(self, name: str) -> Any:
        key = name.encode()
        if self._group.links.get_info(key).type != h5l.TYPE_HARD:
            raise ValueError(f"{name} is a link to another place")
        return h5o.open(self._group, key)

    def _dataset(self, name: str) -> h5d.DatasetID:
        dataset = self._opened(name)
        if not isinstance(dataset, h5d.DatasetID):
            raise ValueError(f"{name} is no array")
        return dataset

    def _check(self, dataset: h5d.DatasetID, name: str, shape: str | None) -> None:
        """Refuse what is not stored as avloc stores, before anything is allocated for it."""
        plan = dataset.get_create_plist()
        is_whole = plan.get_layout() == h5d.CONTIGUOUS and not plan.get_external_count()
        if not is_whole or plan.get_nfilters():
            raise ValueError(f"{name} is compressed, in pieces or in another file")
        n_stored = dataset.get_storage_size()
        n_declared = math.prod(dataset.shape or ()) * dataset.get_type().get_size()
        self._budget.spend(max(n_stored, n_declared), name)
        if n_stored < n_declared:  # HDF5 would make zeros of what was never written
            raise ValueError(f"{name} declares {n_declared} bytes and has {n_stored}")
        if shape is not None:
            self._agree(name, dataset.shape, shape.split())

    def _agree(self, name: str, found: tuple[int, ...], letters: list[str]) -> None:
        """Take the sizes of letters not known yet, and refuse a shape that does not fit."""
        known = [int(n) if n.isdigit() else self.sizes.get(n) for n in letters]
        fits = len(found) == len(letters) and all(
            size == other if other is not None else size > 0 or letter in _POSSIBLY_NONE
            for letter, size, other in zip(letters, found, known, strict=True)
        )
        if not fits:
            pairs = zip(letters, known, strict=True)
            wanted = [n if size is None or n.isdigit() else f"{n}={size}" for n, size in pairs]
            raise ValueError(f"{name} has the shape {found}, not ({', '.join(wanted)})")
        named = zip(letters, found, strict=True)
        self.sizes |= {letter: size for letter, size in named if not letter.isdigit()}

    def _entries(self, dataset: h5d.DatasetID, name: str, shape: str) -> Iterator[Any]:
        """Yield a one-dimensional dataset's entries one by one.

        Texts lie outside their array, and any number of entries may point at the same long
        one: read together they could take more memory than any file.
        """
        self._check(dataset, name, shape)
        places, one = dataset.get_space(), h5s.create_simple((1,))
        for place in range(dataset.shape[0]):
            places.select_hyperslab((place,), (1,))
            entry = np.empty(1, dataset.dtype)
            dataset.read(one, places, entry)
            yield entry[0]

    def _cell(self, value: Any, name: str) -> Any:
        if not isinstance(value, bytes):
            return float(value)
        self._budget.spend(len(value), name)
        return value.decode()


def _is_text(dtype: np.dtype[Any]) -> bool:
    kind = h5py.check_string_dtype(dtype)
    return kind is not None and kind.length is None


def _is_same(found: np.dtype[Any], wanted: np.dtype[Any]) -> bool:
    return _is_text(found) if _is_text(wanted) else found == wanted
