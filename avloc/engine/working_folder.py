"""The folder in which relative paths begin, also in a worker on another machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from pathlib import Path

from avloc.errors import ClusterError


def folder_of_relative(locations: Iterable[object]) -> str:
    """Return the current folder if any of these is a relative path, else nothing."""
    is_needed = any(isinstance(path, Path) and not path.is_absolute() for path in locations)
    return str(Path.cwd()) if is_needed else ""


def enter(folder: str) -> None:
    """Let this process's relative paths begin in a folder, if there is one."""
    try:
        if folder:
            os.chdir(folder)
    except OSError:
        raise ClusterError(
            f"{socket.gethostname()} has no folder {folder}",
            "Give absolute paths that all nodes share, or addresses.",
        ) from None
