"""Files that showed a fault, where they lie beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FAULTS = Path(
    os.environ.get("AVLOC_FAULTS", Path(__file__).parents[1] / ".." / "shared" / "faults")
).resolve()


def faulty_file(name: str) -> Path:
    """Return the path of such a file; skip the test if their folder is missing."""
    if not FAULTS.is_dir():
        pytest.skip(f"no files that showed a fault at {FAULTS} (set AVLOC_FAULTS)")
    return FAULTS / name
