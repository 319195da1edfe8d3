"""Marks at an address that a run is writing there, since nothing can be locked there."""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from avloc.artifacts.address import Address, Location
from avloc.artifacts.objects import list_objects, read_object, remove_object, write_object
from avloc.errors import AddressError

_FOLDER = "runs"
_LONGEST = 4096  # bytes
_DAY = 24 * 60 * 60


@contextmanager
def marked(root: Location, shard: str, notice: Callable[[str], None]) -> Iterator[None]:
    """Mark a store at an address while the block runs; in a folder, do nothing.

    Args:
        root: of the store.
        shard: the run's part of the videos, ``1/4``.
        notice: called with a line if another run is writing the same part.
    """
    if not isinstance(root, Address):
        yield
        return
    for mark, run in _others(root, shard):
        notice(
            f"another run is writing {root} ({run['host']}, process {run['process']}, since"
            f" {datetime.fromtimestamp(run['began']):%H:%M}), and both would do the same videos:"
            f" give each its part (--shard 1/2, --shard 2/2). If it was killed, remove {mark}"
        )
    mine = root / _FOLDER / f"{secrets.token_hex(6)}.json"
    run = {"host": _host(), "process": os.getpid(), "began": time.time(), "shard": shard}
    write_object(mine, json.dumps(run).encode())
    try:
        yield
    finally:
        with suppress(AddressError):
            remove_object(mine)


def _others(root: Address, shard: str) -> Iterator[tuple[Address, dict[str, Any]]]:
    """Yield the runs that share videos with this one; remove what runs that ended have left."""
    for info in list_objects(root / _FOLDER):
        content = read_object(info.address, _LONGEST)
        try:
            run = json.loads(content or b"")
            began = float(run["began"])
            is_over = time.time() - began > _DAY or (
                run["host"] == _host() and not _is_alive(int(run["process"]))
            )
            is_apart = run["shard"] != shard and _count(run["shard"]) == _count(shard)
        except (ValueError, TypeError, KeyError):
            continue
        if is_over:
            remove_object(info.address)
        elif not is_apart:
            yield info.address, run


def _count(shard: str) -> str:
    return shard.partition("/")[2]


def _host() -> str:
    return socket.gethostname()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True
