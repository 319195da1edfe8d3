"""A file that lies in a data set's folder, or beside its manifest, and says more about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from avloc.artifacts import Location, staged
from avloc.artifacts.objects import is_folder, look_up


@contextmanager
def side_file(root: Location, name: str) -> Iterator[Path | None]:
    """Yield the file of that name, or a copy of it from an address; None if there is none."""
    if isinstance(root, Path):
        path = (root.parent if root.is_file() else root) / name
        yield path if path.is_file() else None
        return
    address = (root if is_folder(root) else root.parent) / name
    if look_up(address) is None:
        yield None
        return
    with staged(address) as copy:
        yield copy
