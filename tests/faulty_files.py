"""Files that showed a fault, where they lie beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FAULTS = Path(
    os.environ.get("AVLOC_FAULTS", Path(__file__).parents[1] / ".." / "shared" / "faults")
).resolve()


def faulty_file(name: str) -> Path:
    """Return the path of such a file; skip the test if it is missing."""
    if not (FAULTS / name).is_file():
        pytest.skip(f"no {name} at {FAULTS} (set AVLOC_FAULTS)")
    return FAULTS / name
