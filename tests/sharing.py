"""What takes long to make is made once a run, whichever test process asks for it first."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from filelock import FileLock

Made = TypeVar("Made")


def made_once(
    factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]
) -> tuple[Path, Made]:
    """Make something in a folder that all test processes of this run share.

    The first process that comes makes it, the others wait for it. What lies in the folder is
    everybody's: read it, write elsewhere.

    Args:
        factory: pytest's maker of temporary folders.
        name: of the folder.
        make: fills the folder; what it returns must be picklable.

    Returns:
        The folder, and what `make` returned.
    """
    place = _of_all_processes(factory)
    folder, answer = place / name, place / f"{name}.pickle"
    with FileLock(place / f"{name}.lock"):
        if not answer.exists():
            shutil.rmtree(folder, ignore_errors=True)  # making it failed in another process
            folder.mkdir()
            answer.write_bytes(pickle.dumps(make(folder)))
    return folder, pickle.loads(answer.read_bytes())


def _of_all_processes(factory: pytest.TempPathFactory) -> Path:
    own = factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    shared.mkdir(exist_ok=True)
    return shared
