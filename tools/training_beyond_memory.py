"""Training on more features than memory holds, and as fast as before.

`python tools/training_beyond_memory.py FOLDER` makes a store of AVE's size in FOLDER (6.7 GB of
random maps), measures, prints a table as JSON and removes the store. ``--before CHECKOUT`` measures
another checkout of avloc in alternating rounds. Only root may limit memory (a cgroup).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from training_job import SPEC, VIDEO

from avloc.artifacts import FeatureStore
from avloc.errors import AvlocError
from avloc.stages.bench_training import ten_seconds

HERE = Path(__file__).parent
CGROUPS = Path("/sys/fs/cgroup")
Numbers = dict[str, Any]


def main() -> None:
    """Make the store, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--before", type=Path, help="another checkout of avloc")
    parser.add_argument("--rows", type=int, default=3339)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=0.25, help="of the store, as memory")
    parser.add_argument("--jobs", type=int, default=4, help="processes on a store")
    parser.add_argument("--only", choices=("limited", "whole", "shared"))
    given = parser.parse_args()
    parts: dict[str, Callable[[argparse.Namespace, Path], Numbers]] = {
        "limited": limited,
        "whole": whole,
        "shared": shared,
    }
    root = given.folder / "store"
    if is_new := not root.exists():
        made_store(root, given.rows)
    try:
        for name, part in parts.items():
            if given.only in (None, name):
                print(json.dumps({name: part(given, root)}), flush=True)
    finally:
        if is_new:
            shutil.rmtree(root)


def limited(given: argparse.Namespace, root: Path) -> Numbers:
    """Rows a second where memory holds a part of the store only."""
    n_bytes = sum(path.stat().st_size for path in root.rglob("*.h5"))
    limit = int(given.share * n_bytes)
    n_read = min(given.rows, 640)
    rates: dict[str, list[float]] = {}
    for number in range(given.rounds):
        for n_workers in (0, 1, 2):
            for kind in ("read", "train"):
                job = {"kind": kind, "workers": n_workers, "rows": n_read, "seed": number}
                with memory_of(limit) as group:
                    result = started(job, root, HERE.parent, group)()
                rates.setdefault(f"{kind}, {n_workers} workers", []).append(
                    n_read / result["seconds"]
                )
    return {"store": n_bytes, "memory": limit, "rows a second": medians(rates)}


def whole(given: argparse.Namespace, root: Path) -> Numbers:
    """Seconds of each part of training on all rows, before and after in turn."""
    checkouts = {"after": HERE.parent} | ({"before": given.before} if given.before else {})
    seconds: dict[str, list[float]] = {}
    for _ in range(given.rounds):
        for name, checkout in checkouts.items():
            shutil.rmtree(root / "notes", ignore_errors=True)
            for start in ("first", "again"):
                result = started({"kind": "whole", "rows": given.rows}, root, checkout)()
                for part, value in result.items():
                    seconds.setdefault(f"{name}, {start}: {part}", []).append(value)
                if name == "before":
                    break  # each start is as the first
    return medians(seconds)


def shared(given: argparse.Namespace, root: Path) -> Numbers:
    """Memory of processes that read the same rows, each byte divided by those that map it."""
    n_rows = min(given.rows, 600)
    checkouts = {"after": HERE.parent} | ({"before": given.before} if given.before else {})
    numbers: Numbers = {"rows": n_rows}
    for name, checkout in checkouts.items():
        for n_jobs in (1, given.jobs):
            job = {"kind": "memory", "rows": n_rows}
            waiting = [started(job, root, checkout) for _ in range(n_jobs)]
            results = [wait() for wait in waiting]
            for value in ("idle", "loaded"):
                numbers[f"{name}, {n_jobs} jobs: MB {value}"] = sum(r[value] for r in results)
    return numbers


def started(
    job: Numbers, root: Path, checkout: Path, group: Path | None = None
) -> Callable[[], Numbers]:
    """Start a job with an avloc, and return what waits for its result."""

    def enter() -> None:
        if group is not None:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    process = subprocess.Popen(
        [sys.executable, HERE / "training_job.py", json.dumps(job | {"root": str(root)})],
        env=os.environ | {"PYTHONPATH": str(checkout), "OMP_WAIT_POLICY": "PASSIVE"},
        stdout=subprocess.PIPE,
        preexec_fn=enter,
    )

    def wait() -> Numbers:
        out, _ = process.communicate()
        if process.returncode:
            raise AvlocError(f"the job {job} ended with {process.returncode}")
        result: Numbers = json.loads(out)
        print(f"{checkout.name} {job}: {result}", file=sys.stderr, flush=True)
        return result

    return wait


@contextmanager
def memory_of(n_bytes: int) -> Iterator[Path]:
    """Yield a cgroup whose processes have so much memory, the system's cache included."""
    is_first = (CGROUPS / "memory").is_dir()  # version 1
    group = (CGROUPS / "memory" if is_first else CGROUPS) / f"avloc-{os.getpid()}"
    try:
        group.mkdir(exist_ok=True)
        (group / ("memory.limit_in_bytes" if is_first else "memory.max")).write_text(str(n_bytes))
    except OSError as error:
        raise AvlocError(f"memory cannot be limited: {error}", "Run it as root.") from error
    try:
        yield group
    finally:
        while any((group / "cgroup.procs").read_text().split()):
            time.sleep(0.1)  # a process is not gone at once
        group.rmdir()


def made_store(root: Path, n_rows: int) -> None:
    """Write features of AVE's shape; no two videos' maps are the same."""
    store, draw = FeatureStore.create(root, SPEC), np.random.default_rng(0)
    maps = draw.random((10, 49 * 2048), np.float32).astype(np.float16)
    for number in range(n_rows):
        visual = np.roll(maps, 31 * number, axis=1).reshape(10, 7, 7, 2048)
        audio = draw.random((10, 128), np.float32)
        store.write(ten_seconds(VIDEO.format(number), visual, audio, SPEC))
    os.sync()  # what is not on the disk yet cannot leave the system's cache


def medians(values: dict[str, list[float]]) -> Numbers:
    """Return the median of each list, and all of it."""
    return {
        name: {"median": round(median(of), 3), "all": [round(value, 3) for value in of]}
        for name, of in values.items()
    }


if __name__ == "__main__":
    main()
