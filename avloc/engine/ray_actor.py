"""The process of a worker on a Ray cluster."""

from __future__ import annotations

from typing import Any


def actor_class() -> type[Any]:
    """Return the class of the actors.

    It is defined here so that it travels to the cluster by value: a machine without avloc, or
    with another version of it, can say so.
    """

    class AvlocWorker:
        def __init__(self) -> None:
            self._work: Any = None

        def introduce(self) -> tuple[str, str, str]:
            """Return avloc's version here (empty without it), the machine's name, the node."""
            import socket
            from importlib.metadata import PackageNotFoundError, version

            import ray

            try:
                installed = version("avloc")
            except PackageNotFoundError:
                installed = ""
            return installed, socket.gethostname(), ray.get_runtime_context().get_node_id()

        def prepare(self, plan: bytes) -> Any:
            """Build the worker; return what the driver should know of it."""
            import os
            import pickle

            os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # see avloc.cli.app.main
            self._work = pickle.loads(plan).build()
            return self._work.introduction

        def begin(self, answer: Any) -> None:
            """Take the driver's answer."""
            self._work.begin(answer)

        def run(self, job: list[Any]) -> list[Any]:
            return list(self._work.run(job))

        def watch(self, n_signs: int, seconds: float) -> int:
            """Return the number of signs of work once it differs; runs beside the other calls."""
            import time

            time.sleep(seconds)
            while self._work.n_signs == n_signs:
                time.sleep(seconds)
            return int(self._work.n_signs)

    return AvlocWorker
