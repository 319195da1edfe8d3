"""Begins extractions that a test may kill: torch is loaded once, and not at every run.

Started as a program it reads requests, a line of JSON each, and answers in lines of JSON. Each
run is a fork with a process group of its own. `Runs` is the other end.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path

import torch
from fork_server import ForkServer, say
from tiny_encoders import Film, tiny_encoders

from avloc.artifacts import FeatureStore
from avloc.features import extract, extract_video


class Runs(ForkServer):
    """A server, and the one run that it has under way."""

    program = __file__

    def begin(self, videos: list[tuple[str, Path]], store: Path, workers: int = 0) -> int:
        """Begin a run; returns its process group."""
        named = [(name, str(path)) for name, path in videos]
        return self.ask(named, str(store), workers)["group"]

    def end(self) -> dict | None:
        """Wait for its end; returns what it reported, None if it was killed."""
        said = self.hear()
        if "killed_by" in said:
            assert said["killed_by"] == 9
            return None
        assert self.hear() == {"killed_by": 0}
        return said


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


if __name__ == "__main__":
    serve()
