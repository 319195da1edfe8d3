"""The files that a model's weights are in."""

from __future__ import annotations

import json
from pathlib import Path

SAFETENSORS, INDEX, PICKLE = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
)
WEIGHTS = (SAFETENSORS, PICKLE)  # in the order of preference


def weights_in(folder: Path) -> tuple[Path, ...]:
    """Return the files of the weights; empty if any is missing."""
    names = shards_of(folder) or next(([n] for n in WEIGHTS if (folder / n).is_file()), [])
    paths = tuple(folder / name for name in names)
    return paths if all(path.is_file() for path in paths) else ()


def shards_of(folder: Path) -> list[str]:
    """Return the files that the index of a divided model lists; empty without an index."""
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        return sorted({str(Path(name).name) for name in index["weight_map"].values()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
