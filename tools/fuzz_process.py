"""A process that reads damaged files, where a codec may crash and memory is limited.

It reads one path per line from stdin and answers each with a line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import select
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from fuzz_kinds import KINDS

PATIENCE = 20  # of real time to processor time, on a machine that does other work
SPARE_BYTES = 3 * 2**30
READY = "ready\n"


class ReadingProcess:
    """A process that reads files of a kind one after the other, and starts again if it dies."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        if self._process.stdout is None or self._process.stdout.readline() != READY:
            raise RuntimeError(
                f"it did not start; to see why: echo | python {__file__} {self._kind}"
            )

    def read(self, path: Path) -> dict[str, Any]:
        """Let it read a file; returns its answer, or how it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        before = self._processor_seconds()
        self._process.stdin.write(f"{path}\n")
        limit = KINDS[self._kind].seconds
        for _ in range(PATIENCE * limit):
            if select.select([self._process.stdout], [], [], 1)[0]:
                break
            if self._processor_seconds() - before > limit:
                break
        else:
            return self._lost("hung", "no answer")
        if not select.select([self._process.stdout], [], [], 0)[0]:
            return self._lost("hung", f"more than {limit} s of processor time")
        line = self._process.stdout.readline()
        return json.loads(line) if line else self._lost("died", "")

    def _processor_seconds(self) -> float:
        try:
            words = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def _lost(self, outcome: str, said: str) -> dict[str, Any]:
        self.close()
        answer = {"outcome": outcome, "said": said or f"exit code {self._process.returncode}"}
        self._start()
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def serve(kind: str) -> None:
    """Read the files that are named on stdin, and answer each with a line."""
    with tempfile.TemporaryDirectory() as folder:  # what the first reading loads is loaded here
        for sample in KINDS[kind].make(Path(folder)):
            KINDS[kind].read(sample)
    limit = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (limit + SPARE_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print(READY, end="", flush=True)
    for line in sys.stdin:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
        before = _status("VmRSS")
        answer = _read(kind, Path(line.rstrip("\n")))
        answer["megabytes"] = (_status("VmHWM") - before) / 1024
        print(json.dumps(answer), flush=True)


def _read(kind: str, path: Path) -> dict[str, Any]:
    from avloc.errors import AvlocError

    try:
        return {"outcome": "read", **vars(KINDS[kind].read(path))}
    except AvlocError as error:
        return {"outcome": "refused", "said": str(error)}
    except Exception:
        return {"outcome": "other error", "said": traceback.format_exc()[-1500:]}


def _status(name: str) -> int:
    text = Path("/proc/self/status").read_text()
    return int(text.partition(f"{name}:")[2].split()[0])


if __name__ == "__main__":
    serve(sys.argv[1])
