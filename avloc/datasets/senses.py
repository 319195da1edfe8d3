"""Which labels are heard and seen, segment by segment, where a data set knows: ``senses.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import Location
from avloc.datasets.side_file import side_file
from avloc.errors import DatasetError

SENSES = "senses.json"


class LabelSenses(NamedTuple):
    """(T,) each: where a label is audible, and where it is visible."""

    heard: NDArray[np.bool_]
    seen: NDArray[np.bool_]


SegmentSenses = Mapping[str, Mapping[str, LabelSenses]]
"""By video id and label; a label without an entry is neither heard nor seen in that video."""


def read_senses(path: Path | str) -> SegmentSenses:
    """Read ``{"video id": {"label": {"heard": [0, 1, ...], "seen": [1, 1, ...]}}}``."""
    path = Path(path)
    try:
        content = json.loads(path.read_bytes())
        return {
            str(video_id): {str(label): _senses(entry) for label, entry in labels.items()}
            for video_id, labels in content.items()
        }
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise DatasetError(
            f"holds no senses: {getattr(error, 'strerror', None) or error}",
            path,
            hint="It has 0 or 1 per segment, as in "
            '{"id": {"bark": {"heard": [0, 1], "seen": [1, 1]}}}.',
        ) from error


def find_senses(root: Location) -> SegmentSenses | None:
    """Return the senses in a data set's folder, or beside its manifest; None without any."""
    with side_file(root, SENSES) as path:
        return read_senses(path) if path is not None else None


def is_inconsistent(senses: Mapping[str, LabelSenses], n_segments: int) -> NDArray[np.bool_]:
    """Return (T,): where a label of a video is heard and not seen, or seen and not heard."""
    differs = [of_label.heard ^ of_label.seen for of_label in senses.values()]
    return np.asarray(np.any([np.zeros(n_segments, dtype=bool), *differs], axis=0))


def _senses(entry: Mapping[str, object]) -> LabelSenses:
    heard, seen = (_flags(entry[name]) for name in ("heard", "seen"))
    if heard.shape != seen.shape:
        raise ValueError(f"{len(heard)} segments are heard and {len(seen)} seen")
    return LabelSenses(heard, seen)


def _flags(values: object) -> NDArray[np.bool_]:
    if not isinstance(values, list) or any(value not in (0, 1) for value in values):
        raise ValueError(f"{values!r:.60} is not a list of 0 and 1")
    return np.array(values, dtype=bool)
