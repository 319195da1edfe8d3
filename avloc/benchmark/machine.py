"""What a measurement was taken on."""

from __future__ import annotations

import multiprocessing
import os
import platform
import re
from pathlib import Path

import torch

from avloc.devices import count_cores


def machine(device: torch.device) -> str:
    """Return the processor, its cores and memory, the device, and the library versions."""
    parts = [f"{count_cores()} cores of {_processor()}"]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        n_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        parts.append(f"{n_bytes / 2**30:.0f} GiB")
    if device.type == "cuda":
        parts.append(torch.cuda.get_device_name(device))
    parts.append(f"Python {platform.python_version()}, torch {torch.__version__}")
    return ", ".join(parts)


def _processor() -> str:
    """Return the processor's name where the system tells it."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


class PeakMemory:
    """The most memory that this process, and the largest of its children, ever had, in MiB.

    Zeros where the system does not tell. What `resource` says of children that have ended is
    of no use: it counts the moment before they became a program of their own.
    """

    def __init__(self) -> None:
        self.own = 0.0
        self.child = 0.0

    def look(self, *_: object) -> None:
        """Look at the processes there are; can be a progress callback."""
        self.own = max(self.own, _peak_mib("self"))
        children = (_peak_mib(str(child.pid)) for child in multiprocessing.active_children())
        self.child = max(self.child, *children, 0.0)


def _peak_mib(process: str) -> float:
    try:
        status = Path("/proc", process, "status").read_text()
    except OSError:  # no such system, or the process is gone
        return 0.0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found.group(1)) / 2**10 if found else 0.0


def wait_for(device: torch.device) -> None:
    """Wait until a device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
