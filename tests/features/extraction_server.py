"""Begins extractions that a test may kill: torch is loaded once, and not at every run.

Started as a program it reads requests, a line of JSON each, and answers in lines of JSON. Each
run is a fork with a process group of its own. `Runs` is the other end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path

import torch
from tiny_encoders import Film, tiny_encoders

from avloc.artifacts import FeatureStore
from avloc.features import extract, extract_video


class Runs:
    """A server, and the one run that it has under way."""

    def __init__(self) -> None:
        path = os.pathsep.join(str(Path(__file__).parents[k]) for k in (1, 2))
        self._server = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )

    def __enter__(self) -> Runs:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate("")

    def begin(self, videos: list[tuple[str, Path]], store: Path, workers: int = 0) -> int:
        """Begin a run; returns its process group."""
        request = [[(name, str(path)) for name, path in videos], str(store), workers]
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return self._hear()["group"]

    def end(self) -> dict | None:
        """Wait for its end; returns what it reported, None if it was killed."""
        said = self._hear()
        if "killed_by" in said:
            assert said["killed_by"] == 9
            return None
        assert self._hear() == {"killed_by": 0}
        return said

    def _hear(self) -> dict:
        return json.loads(self._server.stdout.readline())


def serve() -> None:
    torch.set_num_threads(1)  # a fork has only the thread that forked
    encoders = tiny_encoders(fps=1)
    # a clip is written as soon as it is read, not in bursts of a batch
    encoders = replace(encoders, visual=replace(encoders.visual, group=1))
    with tempfile.TemporaryDirectory() as folder:  # what is loaded at first use is loaded here
        extract_video(Film(1.0, rate=2).write(Path(folder) / "first.mp4"), encoders)
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            run(encoders, *json.loads(line))
        _, status = os.waitpid(process, 0)
        say(killed_by=status)


def run(encoders, videos, store, workers) -> None:
    """Extract in a group of its own, and never return."""
    try:
        os.setsid()
        say(group=os.getpid())
        there = FeatureStore.create(store, encoders.spec)
        report = extract([(v, Path(p)) for v, p in videos], there, encoders, workers=workers)
        failed = [failure.video_id for failure in report.failures]
        say(n_done=report.n_done, n_skipped=report.n_skipped, failed=failed)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def say(**what: object) -> None:
    # one call, so that a kill cannot leave half a line
    os.write(1, (json.dumps(what) + "\n").encode())


if __name__ == "__main__":
    serve()
