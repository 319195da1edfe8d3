"""Files that appear whole or not at all, and claims on files that are being made.

Both are locked while in use. The system ends a lock with its process, so what killed runs left
is recognised and removed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir

from xxhash import xxh3_64_hexdigest

from avloc.errors import NameRefusedError, OutputError

_HIDDEN = ".avloc."
"""How the name of every temporary file begins: a constant, so no target's name is too long."""
_PARTIAL_SUFFIX = ".partial"
_DAY = 24 * 60 * 60
_LONGEST_SUFFIX = 20
_swept: set[Path] = set()


@contextmanager
def atomic_path(target: Path | str) -> Iterator[Path]:
    """Yield a temporary name beside ``target``; rename it there when the block succeeds.

    It has the target's suffix, for writers that choose a format by suffix. The target's folder
    is made, and half-written files of killed runs in it are removed. `OutputError` if it cannot
    be written, `NameRefusedError` if the file system does not allow the name.
    """
    target = Path(target)
    handle, temporary = _reserve(target)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        if error.filename not in (None, str(temporary), str(target)):
            raise  # about another file, which the caller knows better
        raise _output_error(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


@contextmanager
def scratch_file(name: str) -> Iterator[Path]:
    """Yield an empty file for this process only, with the suffix of ``name``; it is removed.

    It lies in the system's folder for temporary files. What killed runs left there is removed.
    """
    handle, path = _reserve(Path(gettempdir()) / f".avloc{Path(name).suffix}")
    try:
        os.fchmod(handle, 0o600)
        yield path
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def check_writable(target: Path | str) -> None:
    """Raise an OutputError if a file could not be written; its folder is made."""
    handle, temporary = _reserve(Path(target))
    temporary.unlink(missing_ok=True)
    os.close(handle)


def write_text(target: Path | str, text: str) -> None:
    """Write a UTF-8 text file atomically; OutputError if it cannot be written."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def append_line(target: Path, line: str) -> None:
    """Append one line in one system call, so that the lines of many writers stay whole."""
    try:
        with target.open("a+b", buffering=0) as file:
            content = f"{line}\n".encode("utf-8", "replace")
            if end := file.seek(0, os.SEEK_END):  # a line that a kill has torn is ended first
                file.seek(end - 1)
                content = content if file.read(1) == b"\n" else b"\n" + content
            if file.write(content) < len(content):  # which is not an error to the system
                raise OSError(errno.ENOSPC, "")
    except OSError as error:
        raise _output_error(target, error) from error


def sweep(folder: Path) -> None:
    """Remove the half-written files of killed runs in a folder.

    The locks of other machines may not be visible: their files are removed a day later.
    """
    oldest = time.time() - _DAY
    for path in [*folder.glob(f"{_HIDDEN}*"), *folder.glob(f".*{_PARTIAL_SUFFIX}.*")]:
        with suppress(OSError):  # removed meanwhile, or not ours to remove
            is_local = path.name.startswith(_local_prefix()) or path.suffix == ".lock"
            if _is_abandoned(path) and (is_local or path.stat().st_mtime < oldest):
                path.unlink()


@contextmanager
def claim(target: Path | str) -> Iterator[bool]:
    """Yield whether this block may make ``target``; False while another run makes it.

    A claim ends with its block, or with its process. Where nothing can be locked every claim is
    granted. The target's folder is made.
    """
    target = Path(target)
    path = target.parent / f"{_HIDDEN}{xxh3_64_hexdigest(os.fsencode(target.name))}.lock"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    except OSError:  # which writing the target will report
        yield True
        return
    is_mine = _lock(handle)
    try:
        yield is_mine
    finally:
        if is_mine:
            path.unlink(missing_ok=True)
        os.close(handle)


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
        suffix = _PARTIAL_SUFFIX + target.suffix[-_LONGEST_SUFFIX:]
        while True:
            path = folder / f"{_local_prefix()}{secrets.token_hex(6)}{suffix}"
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
            if _lock(handle):
                return handle, path
            os.close(handle)  # another run swept it between the two calls
    except OSError as error:
        raise _output_error(target, error) from error


def _local_prefix() -> str:
    # Other machines may share the folder.
    return f"{_HIDDEN}{xxh3_64_hexdigest(socket.gethostname().encode())[:6]}."


def _lock(handle: int) -> bool:
    """Lock an open file until it is closed; False if it is locked or was removed meanwhile."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks on this file system
        return True
    return os.fstat(handle).st_nlink > 0


def _is_abandoned(path: Path) -> bool:
    handle = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # locked, or no locks on this file system
        return False
    finally:
        os.close(handle)
    return True


def _output_error(target: Path, error: OSError) -> OutputError:
    # HDF5 puts half a page into strerror; the number says the same in three words
    reason = os.strerror(error.errno) if error.errno else str(error)
    message = f"{target} cannot be written: {reason}"
    if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ):
        return NameRefusedError(message, "Rename the video.")
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    hint = "Free some space and run it again." if is_full else "Choose another path."
    return OutputError(message, hint)
