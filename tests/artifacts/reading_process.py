"""Reads hostile files in a process of its own, where libhdf5 may crash and memory is short.

The process takes a path a line and answers each with a line of JSON; one process serves
thousands of files.
"""

from __future__ import annotations

import json
import resource
import select
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avloc.errors import ArtifactError

SPARE_BYTES = 2**30
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """What came of reading a file.

    Attributes:
        ended: ``read``, ``refused`` (an ArtifactError) or ``crashed``.
        message: what was said; of a crash, how the process ended.
        hint: the refusal's hint.
        cause: the type of the error behind the refusal.
        peak_bytes: the most that Python and numpy held at once while reading.
    """

    ended: str
    message: str = ""
    hint: str = ""
    cause: str = ""
    peak_bytes: int = 0


class ReadingProcess:
    """A process that reads files, started again after a crash."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def read(self, path: Path) -> Answer:
        """Let the process read a file by what the file says it is."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        is_there, _, _ = select.select([process.stdout], [], [], PATIENCE_SECONDS)
        line = process.stdout.readline() if is_there else ""
        if line:
            return Answer(**json.loads(line))
        self.close()
        self._start()
        end = f"ended with {process.returncode}" if is_there else "never ended"
        return Answer("crashed", end)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def read(path: Path) -> Answer:
    """Read a file whole, look at it without its arrays, and check it in pieces.

    The three must agree, but that looking may take what the others find damaged.
    """
    from avloc import artifacts
    from avloc.artifacts.hdf5 import identify

    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        seen = _refusal(lambda: artifacts.describe(path))
        checked = _refusal(lambda: artifacts.check_artifact(path))
        read = _refusal(lambda: getattr(artifacts, f"read_{identify(path)[0]}")(path))
        assert (read is None) == (checked is None), (str(read), str(checked))
        assert seen is None or read is not None, str(seen)
        if read is None:
            ended = Answer("read")
        else:
            cause = type(read.__cause__).__name__
            ended = Answer("refused", str(read), read.hint, cause)
    except BaseException as error:
        ended = Answer("crashed", repr(error)[:500])
    peak = tracemalloc.get_traced_memory()[1] - before
    return Answer(ended.ended, ended.message, ended.hint, ended.cause, peak)


def _refusal(work: Callable[[], object]) -> ArtifactError | None:
    from avloc.errors import ArtifactError

    try:
        work()
    except ArtifactError as error:
        for each in (error, error.__cause__):
            if each is not None:
                each.__traceback__ = None  # which keeps all that was read
        return error
    return None


def main() -> None:
    """Answer lines until they end."""
    import avloc.artifacts  # noqa: F401 - before memory is short

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + SPARE_BYTES, used + SPARE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tracemalloc.start()
    for line in sys.stdin:
        print(json.dumps(vars(read(Path(line.rstrip("\n"))))), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
