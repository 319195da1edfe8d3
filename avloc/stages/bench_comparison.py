"""Configurations compared for ``avloc bench``: in turns, because a machine's speed changes.

Each turn is a process of its own. So no configuration finds memory or a cache as another left
it, and another checkout of avloc is measured like any other configuration.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from avloc.errors import UnknownNameError, UsageError
from avloc.progress import Progress
from avloc.stages.bench_training import Speed

_CHECKOUT = "checkout"
_OPTIONS = (
    *("visual", "audio", "size", "clips", "workers", "batch-size"),
    *("device", "precision", "runtime", "weights", "training"),
)
Arguments = Mapping[str, str]
"""Options of ``avloc bench`` without the dashes; ``checkout`` is the folder of another avloc."""
Measure = Callable[[Arguments, Sequence[str]], Speed]


@dataclass(frozen=True)
class Comparison:
    """What was measured of several configurations in turns.

    Attributes:
        names: the configurations; the others are compared with the first.
        rounds: in each round, what was measured of each.
    """

    names: tuple[str, ...]
    rounds: tuple[tuple[Speed, ...], ...]

    def measures(self) -> list[str]:
        """Return the names of the numbers that were measured of all."""
        speeds = [speed for turns in self.rounds for speed in turns]
        return [
            name
            for name, value in speeds[0].items()
            if isinstance(value, float) and value and all(speed.get(name) for speed in speeds)
        ]

    def values(self, measure: str, which: int) -> list[float]:
        """Return a number of a configuration in each round."""
        return [float(turns[which][measure]) for turns in self.rounds]  # type: ignore[arg-type]

    def ratios(self, measure: str, which: int) -> list[float]:
        """Return the same divided by the first configuration's in the same round."""
        pairs = zip(self.values(measure, which), self.values(measure, 0), strict=True)
        return [value / first for value, first in pairs]

    def as_dict(self) -> dict[str, Any]:
        """Return medians and spreads by configuration, and all that was measured."""
        return {
            "machine": self.rounds[0][0].get("machine", ""),
            "n_rounds": len(self.rounds),
            "configurations": [
                {"name": name}
                | {
                    measure: _spread(self.values(measure, k))
                    | {"ratio": _spread(self.ratios(measure, k))}
                    for measure in self.measures()
                }
                for k, name in enumerate(self.names)
            ],
            "rounds": [dict(zip(self.names, turns, strict=True)) for turns in self.rounds],
        }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": median(values), "lowest": min(values), "highest": max(values)}


def compare(
    base: Arguments,
    files: Sequence[str],
    against: Sequence[str],
    n_rounds: int,
    progress: Progress,
    measure: Measure | None = None,
) -> Comparison:
    """Measure a configuration and others, KEY=VALUE[,KEY=VALUE] of each, on the same videos.

    The order is turned around in every other round.
    """
    changes = [read_changes(text) for text in against]
    names = ("as given", *against)
    configurations = [base, *({**base, **change} for change in changes)]
    measure, rounds = measure or run_bench, list[tuple[Speed, ...]]()
    n_turns = n_rounds * len(names)
    for k in range(n_rounds):
        speeds: dict[int, Speed] = {}
        for which in range(len(names))[:: -1 if k % 2 else 1]:
            progress(k * len(names) + len(speeds), n_turns, names[which])
            speeds[which] = measure(configurations[which], files)
        rounds.append(tuple(speeds[which] for which in range(len(names))))
    progress(n_turns, n_turns, "")
    return Comparison(names, tuple(rounds))


def read_changes(text: str) -> Arguments:
    """Read KEY=VALUE[,KEY=VALUE]; UsageError if it is not."""
    changes = {}
    for part in text.split(","):
        key, sign, value = part.strip().partition("=")
        if not (key and sign and value):
            raise UsageError(
                f"{part.strip()!r} is not KEY=VALUE",
                "Write for example: --against runtime=eager,workers=2",
            )
        key = key.replace("_", "-")
        if key not in (*_OPTIONS, _CHECKOUT):
            raise UnknownNameError("option to compare", key, (*_OPTIONS, _CHECKOUT))
        changes[key] = value
    if _CHECKOUT in changes and not Path(changes[_CHECKOUT], "avloc", "__init__.py").is_file():
        raise UsageError(
            f"{changes[_CHECKOUT]} is not a checkout of avloc",
            "Give its folder; git worktree add FOLDER COMMIT makes one.",
        )
    return changes


def run_bench(arguments: Arguments, files: Sequence[str]) -> Speed:
    """Run ``avloc bench`` once in a process of its own, with these options."""
    options = dict(arguments)
    checkout = options.pop(_CHECKOUT, None)
    flags = [part for key, value in options.items() for part in (f"--{key}", value) if part]
    command = [*_launcher(), "bench", *flags, "--rounds", "1", "--format", "json"]
    environment = dict(os.environ)
    if checkout is not None:
        environment["PYTHONPATH"] = str(Path(checkout).resolve())
    ended = subprocess.run(
        [*command, *files],
        capture_output=True,
        text=True,
        env=environment,
        cwd=checkout,  # python -m looks there first
        check=False,
    )
    if ended.returncode:
        said = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        raise UsageError(f"avloc bench {' '.join(flags)} failed: {said[-1]}")
    speed: Speed = json.loads(ended.stdout)
    return speed


def _launcher() -> list[str]:
    """Return how this program was started, up to the command ``bench``."""
    if sys.argv[1:2] != ["bench"]:  # from Python
        return [sys.executable, "-m", "avloc"]
    before = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]
    is_file = [Path(part).is_file() for part in before]
    paths = [str(Path(part).resolve()) for part in before]
    return [
        sys.executable,
        *(p if f else b for b, p, f in zip(before, paths, is_file, strict=True)),
    ]
