"""A program that loads torch once and forks a process for each request of a test.

Requests and answers are lines of JSON. `ForkServer` is the test's end, `say` the program's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Self


class ForkServer:
    """A context in which a program of the tests runs and takes requests."""

    program: str  # its file

    def __init__(self) -> None:
        path = os.pathsep.join(str(folder) for folder in Path(__file__).parents[:2])
        self._server = subprocess.Popen(
            [sys.executable, self.program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate("")

    def ask(self, *request: object) -> dict:
        """Send a request and return the first answer."""
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return self.hear()

    def hear(self) -> dict:
        """Return the next answer."""
        return json.loads(self._server.stdout.readline())


def say(**what: object) -> None:
    """Answer, in one call, so that a kill cannot leave half a line."""
    os.write(1, (json.dumps(what) + "\n").encode())
