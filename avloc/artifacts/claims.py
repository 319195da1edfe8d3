"""Who is at work on a file: locks that end with the process that holds them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xxhash import xxh3_64_hexdigest

HIDDEN = ".avloc."
"""How the name of every passing file begins: a constant, so that no target's name is too long."""


@contextmanager
def claim(target: Path | str) -> Iterator[bool]:
    """Yield whether the work on ``target`` is this block's; False while somebody else does it.

    Two runs over the same videos so share them. A claim ends with its block, or with its
    process however that ends. Where nothing can be locked every claim is granted.

    Args:
        target: the file to be made; its folder is made.
    """
    target = Path(target)
    path = target.parent / f"{HIDDEN}{xxh3_64_hexdigest(os.fsencode(target.name))}.lock"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    except OSError:  # which is for whoever writes the target to say
        yield True
        return
    is_mine = lock(handle)
    try:
        yield is_mine
    finally:
        if is_mine:
            path.unlink(missing_ok=True)
        os.close(handle)


def lock(handle: int) -> bool:
    """Lock an open file until it is closed; False if it is locked or was removed meanwhile."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks on this file system
        return True
    return os.fstat(handle).st_nlink > 0


def is_abandoned(path: Path) -> bool:
    """Tell whether nobody holds the lock of a file that is there."""
    handle = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, or no locks on this file system
        return False
    finally:
        os.close(handle)
    return True
