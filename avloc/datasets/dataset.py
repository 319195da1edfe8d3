"""A data set: annotated rows, and their videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import Location
from avloc.datasets.targets import Targets
from avloc.datasets.true_events import true_events
from avloc.errors import UnknownNameError
from avloc.labels import LabelSet
from avloc.timeline import Event, Grid, Sense

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Row:
    """One annotated event, or one label of a whole video; a video may have several."""

    video_id: str
    label: str  # empty if there is no event
    start: float  # seconds
    end: float  # seconds, exclusive; equal to start without an event (AVE's 0&0)
    split: str = ""  # one of SPLITS, or empty
    quality: str = ""  # the annotator's remark
    sense: Sense = "unknown"  # by which the event is known
    is_whole_video: bool = False  # a weak label: it occurs, and nobody says when; its times are 0

    @property
    def is_event(self) -> bool:
        """Whether it has a label and a time."""
        return bool(self.label) and self.end > self.start


@dataclass(frozen=True)
class Coverage:
    """How many of a data set's distinct videos exist."""

    present: int
    total: int
    missing: tuple[str, ...]
    """Their ids, in order of first appearance."""


@dataclass(frozen=True)
class Dataset:
    """A data set: features belong to its videos, labels to its rows.

    ``n_segments`` is the length of every grid in segments of 1 s; None if the video decides it.
    ``is_row_alone`` makes each row an example by itself, as in AVE's protocol; otherwise a video is
    one example with the events of all its rows. ``weak_labels`` are the labels of whole videos, by
    id, of data sets that give them beside the times (LLP); else they follow from the rows.
    ``label_groups`` names the group of each label where the data set has groups (OV-AVEBench).
    """

    name: str
    root: Location  # the folder or file it was read from
    labels: LabelSet
    rows: tuple[Row, ...]  # in the order of the file
    videos: Mapping[str, Location] = field(default_factory=dict)  # the existing ones
    n_segments: int | None = None
    is_row_alone: bool = True
    ignored_fields: tuple[str, ...] = ()  # a manifest's fields without meaning here
    weak_labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    label_groups: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # what was left out of the files, and why

    def split(self, name: str) -> list[tuple[int, Row]]:
        """Return the examples of a split, or of no split (``""``), with their row numbers."""
        if name not in (*SPLITS, ""):
            raise UnknownNameError("split", name, SPLITS)
        chosen = [(number, row) for number, row in enumerate(self.rows) if row.split == name]
        if self.is_row_alone:
            return chosen
        first: dict[str, tuple[int, Row]] = {}
        for number, row in chosen:
            first.setdefault(row.video_id, (number, row))
        return list(first.values())

    @property
    def knows_senses(self) -> bool:
        """Whether every event says by which sense it is known."""
        events = [row for row in self.rows if row.is_event]
        return bool(events) and all(row.sense != "unknown" for row in events)

    @property
    def coverage(self) -> Coverage:
        """Which of the distinct videos exist."""
        video_ids = dict.fromkeys([*(row.video_id for row in self.rows), *self.videos])
        missing = tuple(video_id for video_id in video_ids if video_id not in self.videos)
        return Coverage(len(video_ids) - len(missing), len(video_ids), missing)

    def fixed_length(self, segment_seconds: Fraction) -> int | None:
        """Return T of every video's grid; None if it follows from the video."""
        if self.n_segments is None:
            return None
        return Grid.of_duration(self.n_segments, segment_seconds).n_segments

    def targets(self, row: Row, grid: Grid) -> Targets:
        """Return the truth: a label is where a segment's middle is in ``[start, end)``.

        If rows are not alone, those of the video's other rows count too; of exclusive labels the
        later row wins. Nothing is scored in a video with a label of the whole video: nobody says
        when it occurs.
        """
        targets = Targets.empty(grid.n_segments, self.labels.n_labels)
        for event in self._rows_with(row):
            if event.is_event:
                label, covered = self.labels.index(event.label), grid.covers(event.start, event.end)
                if self.labels.is_exclusive:
                    for array in (targets.events, targets.heard, targets.seen):
                        array[covered] = False
                targets.events[covered, label] = True
                targets.heard[covered, label] |= event.sense != "seen"
                targets.seen[covered, label] |= event.sense != "heard"
        if any(event.is_whole_video for event in self._rows_with(row)):
            targets.scored[:] = False
        return targets

    def present(self, row: Row) -> NDArray[np.bool_]:
        """Return (C,): the labels that occur anywhere in the example's video."""
        occurs = np.zeros(self.labels.n_labels, dtype=bool)
        names = self.weak_labels.get(row.video_id)
        if names is None:
            names = tuple(
                r.label
                for r in self._rows_with(row)
                if r.label and (r.is_event or r.is_whole_video)
            )
        occurs[[self.labels.index(name) for name in names]] = True
        return occurs

    def _rows_with(self, row: Row) -> Sequence[Row]:
        """Return the rows of a row's example."""
        return (row,) if self.is_row_alone else self._rows_of_video.get(row.video_id, (row,))

    def events_of(self, video_id: str) -> tuple[Event, ...] | None:
        """Return a video's true events, in order; None if no row names it, or says when."""
        rows = self._rows_of_video.get(video_id)
        if rows is None or any(row.is_whole_video for row in rows):
            return None
        return true_events((r.start, r.end, r.label, r.sense) for r in rows if r.is_event)

    @cached_property
    def _rows_of_video(self) -> dict[str, list[Row]]:
        grouped: dict[str, list[Row]] = {}
        for row in self.rows:
            grouped.setdefault(row.video_id, []).append(row)
        return grouped
