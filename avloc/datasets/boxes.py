"""Where the sound's source is in the picture, segment by segment: ``boxes.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from avloc.errors import DatasetError

BOXES = "boxes.json"
Box = tuple[float, float, float, float]
"""Left, top, right, bottom as fractions of the picture."""
SegmentBoxes = Mapping[str, Sequence[Box | None]]
"""By video id, one entry a segment; None where there is no event."""


def read_boxes(path: Path | str) -> SegmentBoxes:
    """Read a file of boxes: ``{"video id": [[x0, y0, x1, y1], null, ...], ...}``."""
    path = Path(path)
    try:
        content = json.loads(path.read_bytes())
        return {str(name): [_box(entry) for entry in boxes] for name, boxes in content.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DatasetError(
            f"holds no boxes: {getattr(error, 'strerror', None) or error}",
            path,
            hint='It names a box or null per segment: {"id": [[0.1, 0.2, 0.5, 0.6], null]}.',
        ) from error


def find_boxes(root: Path) -> SegmentBoxes | None:
    """Return the boxes in a data set's folder, or beside its manifest; None without any."""
    path = (root.parent if root.is_file() else root) / BOXES
    return read_boxes(path) if path.is_file() else None


def _box(entry: object) -> Box | None:
    if entry is None:
        return None
    if not isinstance(entry, list) or len(entry) != 4:
        raise ValueError(f"{entry!r:.60} is not a box of four numbers")
    x0, y0, x1, y1 = (float(edge) for edge in entry)
    if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
        raise ValueError(f"{entry} are not fractions of the picture, left and top first")
    return (x0, y0, x1, y1)
