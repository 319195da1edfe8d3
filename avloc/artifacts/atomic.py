"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from avloc.errors import OutputError

PARTIAL_SUFFIX = ".partial"
_DAY = 24 * 60 * 60


@contextmanager
def atomic_path(target: Path | str) -> Iterator[Path]:
    """Yield a temporary name beside ``target``; rename it there when the block succeeds.

    The temporary file keeps the target's suffix before ``.partial`` is dropped, so that
    writers that choose a format by suffix (containers, pictures) can be handed the path.

    Args:
        target: the final path; its folder is made.

    Raises:
        OutputError: the folder cannot be made or written, or the disk is full.
    """
    target = Path(target)
    temporary = _reserve(target)
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(target)
    except OSError as error:
        if error.filename not in (None, str(temporary), str(target)):
            raise  # about some other file, which the caller knows better
        raise OutputError(*_explained(target, error)) from error
    finally:
        temporary.unlink(missing_ok=True)


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
        raise OutputError(*_explained(target, error)) from error


def sweep(folder: Path) -> int:
    """Remove what killed runs left half-written in a folder; returns how many files.

    Only what nobody has written to for a day: a run on another machine may be at work here.
    """
    oldest = time.time() - _DAY
    n_swept = 0
    for path in folder.glob(f".*{PARTIAL_SUFFIX}*"):
        with contextlib.suppress(OSError):  # gone meanwhile, or not ours to remove
            if path.stat().st_mtime < oldest:
                path.unlink()
                n_swept += 1
    return n_swept


def _reserve(target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "", str(target))
        handle, name = tempfile.mkstemp(
            prefix=f".{target.stem[:80]}.", suffix=PARTIAL_SUFFIX + target.suffix, dir=target.parent
        )
        os.close(handle)
        Path(name).chmod(0o666 & ~_umask())
    except OSError as error:
        raise OutputError(*_explained(target, error)) from error
    return Path(name)


def _end_of_torn_line(file: FileIO) -> str:
    if file.seek(0, os.SEEK_END) == 0:
        return ""
    file.seek(-1, os.SEEK_END)
    return "" if file.read(1) == b"\n" else "\n"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _explained(target: Path, error: OSError) -> tuple[str, str]:
    # HDF5 puts half a page into strerror; the number says the same in three words
    reason = os.strerror(error.errno) if error.errno else str(error)
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    hint = "Free some space and run it again." if is_full else "Choose another place."
    return f"{target} cannot be written: {reason}", hint
