"""Arrays out of a file that may be damaged or hostile, checked before they are read.

avloc stores each array in one piece without compression. A declared size is checked before
memory is allocated for it, and no link is followed. Every refusal is a ValueError.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import NoneType
from typing import Any, cast, get_args, get_origin

import numpy as np
from h5py import h5d, h5g, h5l, h5o, h5s
from numpy.typing import NDArray

from avloc.artifacts.digests import Record, digest_in_pieces, digest_of, digest_of_stored
from avloc.artifacts.schema import Array, array_of
from avloc.artifacts.stored_array import FileState, StoredArray

MAX_TENSORS = 4096
_LARGEST_NUMBER = 8  # bytes


class Depth(Enum):
    """How far a file is read, and what is kept of an array that is not small."""

    HEADERS = "what the file declares; an array is replaced by one without memory"
    IN_PLACE = "what the file declares; an array is a `StoredArray`, whose parts are read later"
    CHECKED = "every byte; an array is a `StoredArray`"
    PIECES = "every byte; an array is replaced by one without memory"
    WHOLE = "every byte, in memory"


@dataclass
class Budget:
    """The bytes that may still be read: at first the file's size."""

    # Thousands of arrays may share their bytes on disk, and take thousands of times the memory.
    n_bytes: int

    def spend(self, n_bytes: int, name: str) -> None:
        """Take what an array needs; ValueError if the file cannot hold it."""
        if n_bytes > self.n_bytes:
            raise ValueError(f"{name} declares {n_bytes} bytes, more than the file can hold")
        self.n_bytes -= n_bytes


class Arrays:
    """The arrays of a group of a file, read to a depth within the file's budget.

    ``records`` is what the header says of each array by path; None in a file of format 1.
    ``file`` is what a `StoredArray` is read from.
    """

    def __init__(
        self,
        group: h5g.GroupID,
        budget: Budget,
        records: Mapping[str, Record] | None = None,
        depth: Depth = Depth.WHOLE,
        file: FileState | None = None,
    ) -> None:
        self._group, self._budget, self._records, self._depth = group, budget, records, depth
        self._file = file
        self._path = ""
        self.sizes: dict[str, int] = {}  # of the letters in shapes that are known by now
        self.owner = ""  # named in refusals beside the array, for example a video
        # The type and shape of each array that was read, by path.
        self.read_types: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {}

    def fields(self, types: Mapping[str, Any]) -> dict[str, Any]:
        """Read those of the fields that are stored as arrays."""
        values: dict[str, Any] = {}
        for name, kind in types.items():
            if (array := array_of(kind)) is None:
                continue
            stored = get_args(kind)[0]
            if get_origin(stored) is Mapping:
                group = self.group(name)
                values[name] = {n: group.read(n, array) for n in group.names()}
            elif self.has(name) or NoneType not in get_args(stored):
                values[name] = self.read(name, array)
            else:
                values[name] = None
        return values

    def read(self, name: str, wanted: Array) -> NDArray[Any]:
        """Read an array; ValueError, KeyError or OSError if it is not what it should be."""
        dataset = self._checked(name, wanted)
        path, dtype, shape = self._path + name, dataset.dtype.newbyteorder("="), dataset.shape
        self.read_types[path] = dtype, shape
        depth = Depth.WHOLE if wanted.is_small else self._depth
        array = self._stand_in(dataset, dtype)
        if depth in (Depth.HEADERS, Depth.IN_PLACE):
            return array
        if depth is Depth.PIECES:
            digest = digest_in_pieces(dataset)
        elif depth is Depth.CHECKED:
            digest = digest_of_stored(cast(StoredArray, array))
        else:
            array = np.empty(shape, dtype)
            dataset.read(h5s.ALL, h5s.ALL, array)
            digest = digest_of(array)
            if dtype.kind == "b" and array.view(np.uint8).max(initial=0) > 1:
                raise ValueError(f"{name} holds truth values that are neither true nor false")
        label = f"{path}{self.owner and f' of {self.owner}'}"
        if self._records is not None and self._record(name) != digest.record(dtype, shape):
            raise ValueError(
                f"the content of {label} does not match its digest: it was damaged or changed"
            )
        if not (digest.is_finite or wanted.may_be_nan):
            raise ValueError(f"{label} holds NaN or infinity")
        return array

    def _stand_in(self, dataset: h5d.DatasetID, dtype: np.dtype[Any]) -> NDArray[Any]:
        if self._file is None or self._depth not in (Depth.IN_PLACE, Depth.CHECKED):
            return np.broadcast_to(np.zeros((), dtype), dataset.shape)  # which takes no memory
        stored = StoredArray(self._file, dataset.get_offset(), dataset.dtype, dataset.shape)
        return cast(NDArray[Any], stored)

    def has(self, name: str) -> bool:
        """Tell whether the file lists an array or a group of that name."""
        if self._records is None:
            return bool(self._group.links.exists(name.encode()))
        path = self._path + name
        return any(known == path or known.startswith(f"{path}/") for known in self._records)

    def digests(self) -> dict[str, Record]:
        """Return what identifies the content of each array of the group, by name."""
        return {name: self._record(name) for name in self.names()}

    def group(self, name: str) -> Arrays:
        """Return the arrays of a group in this one; ValueError if it is not a group."""
        group = self._opened(name)
        if not isinstance(group, h5g.GroupID):
            raise ValueError(f"{name} is not a group")
        arrays = Arrays(group, self._budget, self._records, self._depth, self._file)
        arrays._path = f"{self._path}{name}/"
        arrays.sizes, arrays.read_types = self.sizes, self.read_types
        return arrays

    def names(self) -> list[str]:
        """Return the names in the group; ValueError if they are not those of the header."""
        n_names = self._group.get_num_objs()
        if n_names > MAX_TENSORS:
            raise ValueError(f"a group holds {n_names} arrays, more than {MAX_TENSORS}")
        names = [name.decode() for name in self._group]
        for name in names:
            if "/" in name or not name.strip(".") or not name.isprintable():
                raise ValueError(f"{name!r:.60} cannot name an array")
        listed = [path for path in self._records or () if path.startswith(self._path)]
        if self._records is not None and sorted(listed) != sorted(self._path + n for n in names):
            raise ValueError(f"{self._path.strip('/')} holds other arrays than its header lists")
        return names

    def _checked(self, name: str, wanted: Array) -> h5d.DatasetID:
        dataset = self._stored(name, wanted.shape)
        dtype = dataset.dtype
        if dtype.kind not in wanted.kinds or dtype.itemsize > _LARGEST_NUMBER:
            raise ValueError(f"{name} holds {dtype}, which does not belong there")
        if self._records is not None:
            record, here = self._record(name), (dtype.str, list(dataset.shape))
            if (record.get("dtype"), record.get("shape")) != here:
                raise ValueError(f"{name} is of {here}, and its header says otherwise")
        return dataset

    def _stored(self, name: str, shape: str | None) -> h5d.DatasetID:
        dataset = self._opened(name)
        if not isinstance(dataset, h5d.DatasetID):
            raise ValueError(f"{name} is not an array")
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
        return dataset

    def _record(self, name: str) -> Record:
        if self._records is None:
            dataset = self._checked(name, Array(kinds="fiub"))
            dtype = dataset.dtype.newbyteorder("=")
            return digest_in_pieces(dataset).record(dtype, dataset.shape)
        if (path := self._path + name) not in self._records:
            raise ValueError(f"the header does not list {path}")
        return self._records[path]

    def _opened(self, name: str) -> Any:
        key = name.encode()
        if self._group.links.get_info(key).type != h5l.TYPE_HARD:
            raise ValueError(f"{name} is a link")
        return h5o.open(self._group, key)

    def _agree(self, name: str, shape: tuple[int, ...], letters: list[str]) -> None:
        sizes = {n: int(n) for n in letters if n.isdigit()} | self.sizes
        fits = len(shape) == len(letters) and all(
            size == sizes[n] if n in sizes else size > 0 or n == "R"  # a split may have no rows
            for n, size in zip(letters, shape, strict=True)
        )
        if not fits:
            wanted = [f"{n}={sizes[n]}" if n in sizes and n.isalpha() else n for n in letters]
            raise ValueError(f"{name} has the shape {shape}, not ({', '.join(wanted)})")
        self.sizes.update(zip(letters, shape, strict=True))
