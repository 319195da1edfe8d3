"""Processes that do not import the main module of the program that starts them.

With Python's own, a script without ``if __name__ == "__main__"`` would run again in each.
"""

from __future__ import annotations

import sys
from multiprocessing.context import SpawnContext, SpawnProcess
from threading import Lock
from types import ModuleType
from typing import Any

_lock = Lock()


class _Process(SpawnProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 - the name that multiprocessing calls
        with _lock:
            main = sys.modules["__main__"]
            sys.modules["__main__"] = ModuleType("__main__")  # without a file to import
            try:
                return SpawnProcess._Popen(process_obj)
            finally:
                sys.modules["__main__"] = main


class SpawnWithoutMain(SpawnContext):
    """What `multiprocessing.get_context("spawn")` returns, but for the main module."""

    Process = _Process
