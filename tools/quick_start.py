"""How long a first and a second ``avloc localize`` of one clip take, beside ``import torch``::

    python tools/quick_start.py clip.mp4 --model artifacts/models/cman.h5 [--rounds 5]

Each round runs three fresh processes in turn, so that other work on the machine slows all of
them alike: ``import torch``; an answer that exists already; and a first answer. Prints the
median seconds of each and the median of the rounds' ratios to ``import torch``.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median


def seconds(*command: object) -> float:
    """Run a command to its end; return how long it took."""
    begun = time.perf_counter()
    ended = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if ended.returncode:
        sys.exit(ended.stderr)
    return time.perf_counter() - begun


def measure(clip: Path, model: Path, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each kind of run, round by round."""
    times: dict[str, list[float]] = {"import torch": [], "answer there": [], "first answer": []}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        localize = (sys.executable, "-m", "avloc", "localize", clip, "--model", model, "--out")
        seconds(*localize, out / "there")  # also fills caches that outlive a process
        for n in range(rounds):
            times["import torch"].append(seconds(sys.executable, "-c", "import torch"))
            times["answer there"].append(seconds(*localize, out / "there"))
            times["first answer"].append(seconds(*localize, out / str(n)))
            shutil.rmtree(out / str(n))
    return times


def main() -> None:
    """Measure what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    times = measure(asked.clip, asked.model, asked.rounds)
    unit = times["import torch"]
    for name, column in times.items():
        ratio = median(t / u for t, u in zip(column, unit, strict=True))
        line = f"{name:<14} {median(column):6.2f} s   {ratio:5.2f} x import torch"
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
