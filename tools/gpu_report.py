"""The table of ``tools/gpu_check.py``, and how much it measures."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    clips: int = 640
    frame: tuple[int, int] = (640, 360)
    visual: str = "resnet152"
    audio: str = "vggish"
    rows: tuple[int, int] = (3339, 402)
    rows_in_files: int = 1024
    epochs: int = 100
    frames_compared: int = 64
    network_seconds: float = 3.0
    tests_seconds: float = 120.0


SMALL = Size(12, (96, 64), "resnet18", "logmel", (24, 8), 16, 2, 4, 0.2, 900.0)


@dataclass
class Check:
    """The measurements so far; written after each, so that nothing is lost at a time limit."""

    device: torch.device
    size: Size
    out: Path
    until: float  # of time.perf_counter; no further step begins after it
    began: float = field(default_factory=time.perf_counter)
    rows: list[tuple[str, str, str]] = field(default_factory=list)  # what, measured, aim
    numbers: dict[str, object] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def row(self, what: str, measured: str, aim: str = "") -> None:
        """Add a line to the table."""
        self.rows.append((what, measured, aim))
        print(f"{time.perf_counter() - self.began:6.1f} s  {what}: {measured}", flush=True)
        self.write()

    def step(self, name: str, run: Callable[[Check], None]) -> None:
        """Do a step; one that fails is a line of the table and does not stop the others."""
        if time.perf_counter() > self.until:
            self.row(name, "left out: the time is over")
            return
        began = time.perf_counter()
        try:
            run(self)
        except Exception as error:
            traceback.print_exc()
            self.failures.append(name)
            self.row(name, f"FAILED: {type(error).__name__}: {error}"[:200])
        self.numbers[f"{name}: seconds"] = time.perf_counter() - began
        self.write()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def write(self) -> None:
        """Write what is known."""
        content = {"size": asdict(self.size), "rows": self.rows, "numbers": self.numbers}
        self.out.write_text(json.dumps(content | {"failures": self.failures}, indent=1))
