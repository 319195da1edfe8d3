"""Where the sounds' sources are in the picture, segment by segment: ``boxes.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from avloc.artifacts import Location
from avloc.datasets.side_file import side_file
from avloc.errors import DatasetError

BOXES = "boxes.json"
Box = tuple[float, float, float, float]
"""Left, top, right, bottom as fractions of the picture."""
SegmentBoxes = Mapping[str, Sequence[Sequence[Box]]]
"""By video id, for each segment the boxes of its sources; empty where nothing is seen to sound."""


def read_boxes(path: Path | str) -> SegmentBoxes:
    """Read a file of boxes: ``{"video id": [[x0, y0, x1, y1], null, ...], ...}``.

    A segment has a box, null, or a list of boxes where several sources sound.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_bytes())
        return {str(name): [_boxes(entry) for entry in boxes] for name, boxes in content.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DatasetError(
            f"holds no boxes: {getattr(error, 'strerror', None) or error}",
            path,
            hint="It names a box, a list of boxes or null per segment: "
            '{"id": [[0.1, 0.2, 0.5, 0.6], null]}.',
        ) from error


def find_boxes(root: Location) -> SegmentBoxes | None:
    """Return the boxes in a data set's folder, or beside its manifest; None without any."""
    with side_file(root, BOXES) as path:
        return read_boxes(path) if path is not None else None


def as_entry(boxes: Sequence[Box]) -> Sequence[Box] | Box | None:
    """Return a segment's boxes as the file has them: null, a box, or a list of boxes."""
    return boxes if len(boxes) > 1 else boxes[0] if boxes else None


def _boxes(entry: object) -> tuple[Box, ...]:
    if entry is None:
        return ()
    if isinstance(entry, list) and entry and all(isinstance(part, list) for part in entry):
        return tuple(_box(part) for part in entry)
    return (_box(entry),)


def _box(entry: object) -> Box:
    if not isinstance(entry, list) or len(entry) != 4:
        raise ValueError(f"{entry!r:.60} is not a box of four numbers")
    x0, y0, x1, y1 = (float(edge) for edge in entry)
    if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
        raise ValueError(f"{entry} are not fractions of the picture, left and top first")
    return (x0, y0, x1, y1)
