"""How many events of each label a data set has, by split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from avloc.datasets.dataset import SPLITS, Dataset, Row

NO_EVENT = "(no event)"
HELD_OUT = "held out"
NO_SPLIT = "no split"


@dataclass(frozen=True)
class LabelCounts:
    """Events by label, in class order with `NO_EVENT` last, and by the splits that have rows."""

    columns: tuple[str, ...]  # of train, held out, val, test, no split
    counts: Mapping[str, tuple[int, ...]]  # of each column

    def of(self, label: str, column: str) -> int:
        """Return how many events of a label a split has; 0 if it has no such column."""
        return self.counts[label][self.columns.index(column)] if column in self.columns else 0

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, without `NO_EVENT`."""
        return tuple(label for label in self.counts if label != NO_EVENT)

    def lines(self) -> list[str]:
        """Return the counts as a table of plain text, a header line first."""
        rows = [("label", *self.columns)]
        rows += [(label, *map(str, numbers)) for label, numbers in self.counts.items()]
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        return [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
            for row in rows
        ]


def count_labels(
    dataset: Dataset, held_out: Collection[str] = (), missing: Collection[str] = ()
) -> LabelCounts:
    """Count rows by label and split; training videos that validate have the column `HELD_OUT`.

    What is heard and seen at the same time is one event, although it may have two rows.
    """
    has_splits = any(row.split for row in dataset.rows)
    training_split = "train" if has_splits else ""
    held_out, missing = frozenset(held_out), frozenset(missing)
    tally: Counter[tuple[str, str]] = Counter()
    for row in _distinct(dataset):
        column = row.split or ("train" if held_out and not has_splits else NO_SPLIT)
        if row.split == training_split and row.video_id in held_out:
            column = HELD_OUT
        if row.video_id not in missing:
            has_label = row.is_event or row.is_whole_video
            tally[row.label if has_label else NO_EVENT, column] += 1
    columns = tuple(
        column
        for column in ("train", HELD_OUT, *SPLITS[1:], NO_SPLIT)
        if any(column == used for _, used in tally)
    )
    labels = [*dataset.labels.names]
    if any(label == NO_EVENT for label, _ in tally):
        labels.append(NO_EVENT)
    counts = {label: tuple(tally[label, column] for column in columns) for label in labels}
    return LabelCounts(columns, counts)


def _distinct(dataset: Dataset) -> Iterator[Row]:
    """Yield the rows; of a video whose events are joined from several rows, one row an event."""
    of_video: dict[str, list[Row]] = {}
    for row in dataset.rows:
        of_video.setdefault(row.video_id, []).append(row)
    for video_id, rows in of_video.items():
        events = None if dataset.is_row_alone else dataset.events_of(video_id)
        if not events or len(events) == len(rows):
            yield from rows
        else:
            for event in events:
                yield replace(rows[0], label=event.label, start=event.start, end=event.end)
