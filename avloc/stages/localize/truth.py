"""What a data set knows of the videos that a run of ``localize`` answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from avloc.datasets import Box, find_boxes, load_dataset
from avloc.stages.localize.inputs import Input
from avloc.timeline import Event


class Truth:
    """The true events and boxes of videos.

    Args:
        root: the data set.

    Raises:
        DatasetError: its files are wrong.
    """

    def __init__(self, root: Path) -> None:
        self._dataset = load_dataset(root)
        self._boxes = find_boxes(self._dataset.root) or {}
        self._ids = {path.resolve(): name for name, path in self._dataset.videos.items()}

    def events(self, one: Input) -> tuple[Event, ...] | None:
        """Return a video's true events, in order; None if the data set does not know them."""
        return self._dataset.events_of(self._id(one))

    def boxes(self, one: Input) -> Sequence[Box | None]:
        """Return where what sounds is, a box a segment; empty if the data set does not know."""
        return self._boxes.get(self._id(one), ())

    def note(self, one: Input) -> str:
        """Say why the true events of a video are not shown although its name is known."""
        is_unsure = one.has_namesake and not self._id(one)
        if is_unsure and self._dataset.events_of(one.video.stem) is not None:
            return "no true events shown: other videos have its name, and the data set has one"
        return ""

    def _id(self, one: Input) -> str:
        """Return a video's id in the data set: by its file, or by a name that is not repeated."""
        by_file = self._ids.get(one.video.resolve(), "")
        return by_file or ("" if one.has_namesake else one.video.stem)
