"""What was worked out about a store's features, kept so that it is not worked out again.

It lies in the folder ``notes`` of the store or, where that cannot be written, in the user's cache.
Nothing is lost with it but time. Files are known by their size and their time of change.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from xxhash import xxh3_64_hexdigest

from avloc.artifacts.atomic import check_writable, write_text
from avloc.artifacts.stored_array import FileState
from avloc.artifacts.user_cache import user_cache
from avloc.errors import OutputError

_FOLDER = "notes"
_CHECKED = "checked.json"
_SAVED_EVERY = 60.0  # seconds: a killed run does not check again what is older


def notes_folder(root: Path) -> Path:
    """Return the folder of a store's notes, which can be written unless nothing can."""
    folder = root / _FOLDER
    try:
        check_writable(folder / _CHECKED)
    except OutputError:
        return user_cache() / "stores" / xxh3_64_hexdigest(os.fsencode(root.resolve()))
    return folder


class CheckedFiles:
    """The files of a store whose every byte was compared with its digest."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _CHECKED
        self._known: dict[str, Any] = {}
        self._is_new, self._saved = False, time.monotonic()
        self.reload()

    def reload(self) -> None:
        """Read what other processes have checked meanwhile."""
        with suppress(OSError, ValueError):
            known = json.loads(self._path.read_bytes())
            if isinstance(known, dict):
                self._known = known | self._known

    def __contains__(self, file: FileState | None) -> bool:
        return file is not None and self._known.get(Path(file.path).name) == [
            file.n_bytes,
            file.mtime_ns,
        ]

    def add(self, file: FileState) -> None:
        """Remember a file as checked."""
        self._known[Path(file.path).name] = [file.n_bytes, file.mtime_ns]
        self._is_new = True
        if time.monotonic() - self._saved > _SAVED_EVERY:
            self.save()

    def save(self) -> None:
        """Write the list if it is new, where it can be written."""
        self._saved = time.monotonic()
        if self._is_new:
            with suppress(OutputError):
                write_text(self._path, json.dumps(self._known))
                self._is_new = False


@contextmanager
def alone(folder: Path, name: str) -> Iterator[None]:
    """Wait until no other process is in this block, where files can be locked."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / f".{name}.lock", os.O_CREAT | os.O_RDWR, 0o666)
    except OSError:
        yield
        return
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
