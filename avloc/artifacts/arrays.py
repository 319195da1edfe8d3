"""Arrays out of a file that nobody vouches for, looked at before they are read.

avloc never compresses and stores each array in one piece, so what it reads takes no more
memory than the file takes on disk. A file that breaks this rule was not written by avloc:
a declared size is checked before anything is allocated for it, and no link is followed.
Every refusal is a ValueError in words; `avloc.artifacts.hdf5` names the file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from h5py import h5d, h5g, h5l, h5o, h5s
from numpy.typing import NDArray

from avloc.artifacts.digests import Record, digest_in_pieces, digest_of
from avloc.artifacts.reading import Budget, Depth

REAL, WHOLE, TRUTH = "f", "iu", "b"
"""Kinds of numbers, as numpy's letters."""
MAX_TENSORS = 4096
_LARGEST_NUMBER = 8  # bytes
_POSSIBLY_NONE = ("R", "E")  # a split may have no rows and a video no events


class Arrays:
    """The arrays of one group of a file.

    Shapes are asked for in the glossary's letters (``"T H W Dv"``): the first array that has a
    letter sets its size, every other must agree; a number stands for itself.

    Args:
        group: the open group.
        budget: shared by all groups of the file.
        records: what the file's header says of each array by its path; None in a file of
            format 1, which says nothing.
        depth: how far to go.
        path: of the group in the file, empty or with a slash at its end.
        sizes: letters whose sizes are known already.

    Attributes:
        sizes: what is known by now.
        owner: named by a refusal beside the array, for example a video.
    """

    def __init__(
        self,
        group: h5g.GroupID,
        budget: Budget,
        records: Mapping[str, Record] | None = None,
        depth: Depth = Depth.WHOLE,
        path: str = "",
        **sizes: int,
    ) -> None:
        self._group = group
        self._budget = budget
        self._records = records
        self._depth = depth
        self._path = path
        self.sizes = sizes
        self.owner = ""

    def read(
        self,
        name: str,
        shape: str | None,
        kinds: str = REAL + WHOLE + TRUTH,
        *,
        is_small: bool = False,
        may_be_nan: bool = False,
    ) -> NDArray[Any]:
        """Read an array of numbers or truth values.

        Args:
            name: its name in the group.
            shape: its dimensions in letters; None for any shape.
            kinds: letters of `REAL`, `WHOLE` and `TRUTH` that its type may be.
            is_small: it is read at any depth.
            may_be_nan: NaN and infinity belong there.

        Raises:
            ValueError: it is something else, elsewhere, larger than the file, not finite, or
                not what its digest says.
            KeyError: there is none. OSError: it is damaged.
        """
        dataset = self._checked(name, shape, kinds)
        if self._depth is Depth.HEADERS and not is_small:
            return _placeholder(dataset)
        if self._depth is Depth.PIECES and not is_small:
            array, digest = _placeholder(dataset), digest_in_pieces(dataset)
        else:
            array = np.empty(dataset.shape, dataset.dtype.newbyteorder("="))
            dataset.read(h5s.ALL, h5s.ALL, array)
            digest = digest_of(array)
            if array.dtype.kind == TRUTH and array.view(np.uint8).max(initial=0) > 1:
                raise ValueError(f"{name} holds truth values that are neither true nor false")
        if self._records is not None and self._record(name) != digest.record(
            array.dtype, array.shape
        ):
            raise ValueError(
                f"the content of {self._named(name)} does not match its digest: "
                "it was damaged or changed"
            )
        if not (digest.is_finite or may_be_nan):
            raise ValueError(f"{self._named(name)} holds NaN or infinity")
        return array

    def find(self, name: str, shape: str, kinds: str = REAL + WHOLE + TRUTH) -> NDArray[Any] | None:
        """Read an array as `read` does, or return None where there is none."""
        return self.read(name, shape, kinds) if self.has(name) else None

    def has(self, name: str) -> bool:
        """Tell whether the file says that there is an array or a group of that name."""
        if self._records is None:
            return bool(self._group.links.exists(name.encode()))
        path = self._path + name
        return any(known == path or known.startswith(f"{path}/") for known in self._records)

    def digests(self) -> dict[str, Record]:
        """Return what identifies the content of each array of the group, by name."""
        return {name: self._record(name) for name in self.names()}

    def dataset(self, name: str, shape: str | None) -> h5d.DatasetID:
        """Open an array without reading it, once it is seen to be stored as avloc stores.

        Raises:
            ValueError: as `read`.
        """
        dataset = self._opened(name)
        if not isinstance(dataset, h5d.DatasetID):
            raise ValueError(f"{name} is no array")
        self._check(dataset, name, shape)
        return dataset

    def group(self, name: str) -> Arrays:
        """Return the arrays of a group in this one.

        Raises:
            ValueError: it is no group, or a link to elsewhere.
        """
        group = self._opened(name)
        if not isinstance(group, h5g.GroupID):
            raise ValueError(f"{name} is no group")
        return Arrays(group, self._budget, self._records, self._depth, f"{self._path}{name}/")

    def names(self) -> list[str]:
        """Return the names in the group.

        Raises:
            ValueError: there are more than a model has tensors, one is no plain name, or they
                are not those of the header.
        """
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

    def _checked(self, name: str, shape: str | None, kinds: str) -> h5d.DatasetID:
        """Open an array whose type, place and size are seen to be right."""
        dataset = self.dataset(name, shape)
        dtype = dataset.dtype
        if dtype.kind not in kinds or dtype.itemsize > _LARGEST_NUMBER:
            raise ValueError(f"{name} holds {dtype}, which does not belong there")
        if self._records is not None:
            record, here = self._record(name), (dtype.str, list(dataset.shape))
            if (record.get("dtype"), record.get("shape")) != here:
                raise ValueError(f"{name} is of {here}, and its header says otherwise")
        return dataset

    def _record(self, name: str) -> Record:
        if self._records is None:
            dataset = self._checked(name, None, REAL + WHOLE + TRUTH)
            dtype = dataset.dtype.newbyteorder("=")
            return digest_in_pieces(dataset).record(dtype, dataset.shape)
        if (path := self._path + name) not in self._records:
            raise ValueError(f"the header does not list {path}")
        return self._records[path]

    def _named(self, name: str) -> str:
        return f"{self._path}{name}{self.owner and f' of {self.owner}'}"

    def _opened(self, name: str) -> Any:
        key = name.encode()
        if self._group.links.get_info(key).type != h5l.TYPE_HARD:
            raise ValueError(f"{name} is a link to another place")
        return h5o.open(self._group, key)

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


def _placeholder(dataset: h5d.DatasetID) -> NDArray[Any]:
    """Return an array of the same shape and type that takes no memory."""
    zero = np.zeros((), dataset.dtype.newbyteorder("="))
    return np.broadcast_to(zero, dataset.shape)
