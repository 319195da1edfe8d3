"""Which labels rows have, and whether they exclude each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from avloc.datasets.dataset import Row
from avloc.labels import LabelKind, LabelSet


def labels_of(rows: Sequence[Row], kind: LabelKind | None = None) -> LabelSet:
    """Return the labels of rows in order of first appearance; without a kind, that of the rows."""
    names = tuple(dict.fromkeys(row.label for row in rows if row.label))
    return LabelSet(names, kind=kind or label_kind(rows))


def label_kind(rows: Iterable[Row]) -> LabelKind:
    """Return ``independent`` if rows say that labels may occur together, else ``exclusive``.

    They say so if events of different labels overlap in a video, if a video has a label of the
    whole video beside another label, or if a row names the sense that knows it.
    """
    of_video: dict[str, list[Row]] = {}
    for row in rows:
        if row.label and row.sense != "unknown":
            return "independent"
        if row.is_event or row.is_whole_video:
            of_video.setdefault(row.video_id, []).append(row)
    return "independent" if any(map(_may_overlap, of_video.values())) else "exclusive"


def _may_overlap(rows: Sequence[Row]) -> bool:
    if len({row.label for row in rows}) < 2:
        return False
    if any(row.is_whole_video for row in rows):
        return True
    reached: dict[str, float] = {}  # the latest end of each label's events so far
    for row in sorted(rows, key=lambda row: row.start):
        if any(end > row.start for label, end in reached.items() if label != row.label):
            return True
        reached[row.label] = max(row.end, reached.get(row.label, 0.0))
    return False
