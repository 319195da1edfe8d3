"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from xxhash import xxh3_64_hexdigest

from avloc.artifacts.claims import HIDDEN, is_abandoned, lock
from avloc.errors import NameRefusedError, OutputError

PARTIAL_SUFFIX = ".partial"
_DAY = 24 * 60 * 60
_LONGEST_SUFFIX = 20
_NAME_ERRORS = (errno.ENAMETOOLONG, errno.EILSEQ)
_swept: set[Path] = set()


@contextmanager
def atomic_path(target: Path | str) -> Iterator[Path]:
    """Yield a temporary name beside ``target``; rename it there when the block succeeds.

    The temporary file has the target's suffix, so that writers that choose a format by suffix
    (containers, pictures) can be handed the path. What killed runs left half-written in the
    target's folder is removed by the first file that a process writes there.

    Args:
        target: the final path; its folder is made.

    Raises:
        NameRefusedError: the file system has no such names, for example one this long.
        OutputError: the folder cannot be made or written, or the disk is full.
    """
    target = Path(target)
    handle, temporary = _reserve(target)
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(target)
    except OSError as error:
        if error.filename not in (None, str(temporary), str(target)):
            raise  # about some other file, which the caller knows better
        raise _output_error(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


def check_place(target: Path | str) -> None:
    """Refuse a file that could not be written, before the work whose end it would be.

    Args:
        target: the file; its folder is made.

    Raises:
        OutputError: the folder cannot be made or written.
    """
    handle, temporary = _reserve(Path(target))
    temporary.unlink(missing_ok=True)
    os.close(handle)


def write_text(target: Path | str, text: str) -> None:
    """Write a UTF-8 text file atomically.

    Raises:
        OutputError: it cannot be written.
    """
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def append_line(target: Path | str, line: str) -> None:
    """Append one line in one system call, so that the lines of many writers stay whole.

    A line that a kill or a full disk has torn is ended first: it costs no other line.

    Raises:
        OutputError: it cannot be written.
    """
    target = Path(target)
    try:
        with target.open("a+b", buffering=0) as file:
            content = (_end_of_torn_line(file) + line + "\n").encode("utf-8", "replace")
            if file.write(content) < len(content):  # which is no error to the system
                raise OSError(errno.ENOSPC, "")
    except OSError as error:
        raise _output_error(target, error) from error


def sweep(folder: Path) -> int:
    """Remove what killed runs left half-written in a folder; returns how many files.

    A file that a run on this machine writes is locked and stays. The locks of other machines
    may not be visible here, so what they left is removed a day later.
    """
    oldest, n_swept = time.time() - _DAY, 0
    for path in [*folder.glob(f"{HIDDEN}*"), *folder.glob(f".*{PARTIAL_SUFFIX}.*")]:
        with contextlib.suppress(OSError):  # gone meanwhile, or not ours to remove
            is_local = path.name.startswith(_hidden()) or path.suffix == ".lock"
            if is_abandoned(path) and (is_local or path.stat().st_mtime < oldest):
                path.unlink()
                n_swept += 1
    return n_swept


def _reserve(target: Path) -> tuple[int, Path]:
    """Make an empty temporary file beside the target, locked while it is open."""
    folder = target.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "", str(target))
        if folder not in _swept:
            _swept.add(folder)
            sweep(folder)
        return _locked_file(folder, PARTIAL_SUFFIX + target.suffix[-_LONGEST_SUFFIX:])
    except OSError as error:
        raise _output_error(target, error) from error


def _locked_file(folder: Path, suffix: str) -> tuple[int, Path]:
    while True:
        path = folder / f"{_hidden()}{secrets.token_hex(6)}{suffix}"
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        if lock(handle):
            return handle, path
        os.close(handle)  # another run swept it between the two calls


def _hidden() -> str:
    """Return how the names of this machine's temporary files begin."""
    return f"{HIDDEN}{xxh3_64_hexdigest(socket.gethostname().encode())[:6]}."


def _end_of_torn_line(file: FileIO) -> str:
    if file.seek(0, os.SEEK_END) == 0:
        return ""
    file.seek(-1, os.SEEK_END)
    return "" if file.read(1) == b"\n" else "\n"


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _output_error(target: Path, error: OSError) -> OutputError:
    # HDF5 puts half a page into strerror; the number says the same in three words
    reason = os.strerror(error.errno) if error.errno else str(error)
    message = f"{target} cannot be written: {reason}"
    if error.errno in _NAME_ERRORS:
        return NameRefusedError(message, "Rename the video.")
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    hint = "Free some space and run it again." if is_full else "Choose another place."
    return OutputError(message, hint)
