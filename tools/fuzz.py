"""Damage sound files at random, read them as the product does, and count the outcomes.

    python tools/fuzz.py artifacts --n 500 --seed 1 --jobs 2

Kinds: artifacts, videos, manifests. Files are read in a process of its own, with limits. A file
that crashes or hangs it, takes too much memory, ends in anything but avloc's own errors, makes a
clip far too long, or is accepted with content that its digest does not fit, is kept in a
folder, and the exit code is 1. A case follows from seed and number alone.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from damage import damaged
from fuzz_kinds import KINDS
from fuzz_process import ReadingProcess

HARMLESS = ("refused", "read, same", "read, changed, flagged", "read, changed")
NEVER = (
    "changed beside its digest",
    "far too long",
    "other error",
    "died",
    "hung",
    "too much memory",
)
"""Outcomes that no file may have."""
N_NAMED = 20
FAR_TOO_LONG = 8  # times the segments of the sound file


@dataclass(frozen=True)
class Case:
    """A damaged file and the outcome of reading it.

    Attributes:
        number: decides the damage, together with the seed.
        sample: the file that was damaged.
        way: how it was damaged.
        outcome: one of `HARMLESS` or `NEVER`.
        said: the error, or how the process ended.
        megabytes: memory that reading took.
    """

    number: int
    sample: str
    way: str
    outcome: str
    said: str
    megabytes: float


def fuzz(kind: str, numbers: Iterable[int], seed: int, keep: Path | None = None) -> list[Case]:
    """Read a damaged file for each number.

    Args:
        kind: one of ``KINDS``.
        numbers: the numbers of the cases.
        seed: decides the cases together with their numbers.
        keep: a folder for the files whose outcome is one of `NEVER`; made for the first of them.
    """
    cases = []
    with tempfile.TemporaryDirectory() as scratch, closing(ReadingProcess(kind)) as reader:
        sound = Path(scratch) / "sound"
        sound.mkdir()
        samples = KINDS[kind].make(sound)
        truths = [reader.read(sample) for sample in samples]
        assert all(truth["outcome"] == "read" for truth in truths), truths
        for number in numbers:
            draw = np.random.default_rng([seed, number])
            which = int(draw.integers(len(samples)))
            way, content = damaged(samples[which].read_bytes(), draw)
            path = Path(scratch) / samples[which].name
            path.write_bytes(content)
            answer = reader.read(path)
            outcome = outcome_of(kind, answer, truths[which])
            message, megabytes = str(answer.get("said", "")), float(answer.get("megabytes", 0))
            case = Case(number, path.name, way, outcome, message, megabytes)
            if keep is not None and outcome in NEVER:
                _save(keep / f"{kind}-{seed}-{number}", case, path)
            cases.append(case)
    return cases


def outcome_of(kind: str, answer: dict[str, Any], truth: dict[str, Any]) -> str:
    """Judge the answer to a damaged file by that to the sound one."""
    limits = KINDS[kind]
    if answer.get("megabytes", 0) > limits.megabytes:
        return "too much memory"
    if answer["outcome"] != "read":
        return str(answer["outcome"])
    if answer["content"] == truth["content"]:
        return "read, same"
    if limits.is_sealed:
        return "changed beside its digest"
    if answer["n_segments"] > FAR_TOO_LONG * truth["n_segments"]:
        return "far too long"
    return "read, changed, flagged" if answer["flags"] else "read, changed"


def _save(folder: Path, case: Case, path: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, folder)
    (folder / "case.json").write_text(json.dumps(asdict(case), indent=1) + "\n")


def fuzz_with(jobs: int, kind: str, n: int, seed: int, keep: Path) -> list[Case]:
    """Share the cases 0 to n - 1 out to several reading processes."""
    parts = [range(job, n, jobs) for job in range(jobs)]
    with ThreadPoolExecutor(jobs) as pool:
        done = list(pool.map(partial(fuzz, kind, seed=seed, keep=keep), parts))
    return sorted((case for part in done for case in part), key=lambda case: case.number)


def table_of(cases: Sequence[Case]) -> str:
    """Count outcomes by the way a file was damaged."""
    counts = Counter((case.way, case.outcome) for case in cases)
    ways = sorted({case.way for case in cases})
    seen = {case.outcome for case in cases}
    outcomes = [outcome for outcome in (*HARMLESS, *NEVER) if outcome in seen]
    rows = [["damage", "files", *outcomes]]
    for way in [*ways, "all"]:
        numbers = [sum(counts[w, o] for w in ways if way in (w, "all")) for o in outcomes]
        rows.append([way, str(sum(numbers)), *map(str, numbers)])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def main() -> int:
    """Read the command line, and fuzz."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("--n", type=int, default=500, help="files to damage (500)")
    parser.add_argument("--seed", type=int, default=0, help="decides the damage (0)")
    parser.add_argument("--jobs", type=int, default=1, help="reading processes (1)")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-found"), help="folder (fuzz-found)")
    asked = parser.parse_args()
    cases = fuzz_with(asked.jobs, asked.kind, asked.n, asked.seed, asked.keep)
    print(table_of(cases))
    print(f"most memory: {max(case.megabytes for case in cases):.0f} MB", file=sys.stderr)
    bad = [case for case in cases if case.outcome in NEVER]
    for case in bad[:N_NAMED]:
        print(f"{case.number} {case.sample}, {case.way}: {case.outcome}", file=sys.stderr)
    if bad:
        print(f"{len(bad)} files are kept in {asked.keep}", file=sys.stderr)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
