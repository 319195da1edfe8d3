"""Processes started afresh, without the program that starts them.

Python's own way imports the program's main module in each of them, so that a script must
protect itself by ``if __name__ == "__main__"``, or else it runs again in every process. A
decoding process needs nothing of that module.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from threading import Lock
from types import ModuleType
from typing import Any

_lock = Lock()


class _Process(SpawnProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 - the name that multiprocessing calls
        with _main_hidden():
            return SpawnProcess._Popen(process_obj)


class Afresh(SpawnContext):
    """What `multiprocessing.get_context("spawn")` gives, but for the main module."""

    Process = _Process


@contextmanager
def _main_hidden() -> Iterator[None]:
    """Let the main module look as it does where there is no file to import again."""
    with _lock:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
