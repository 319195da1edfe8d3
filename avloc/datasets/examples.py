"""Examples: the features of a split, cut into the windows that are trained on.

A data set with a fixed grid (AVE: 10 segments) gives one example a row, cut or padded with zeros
as in its protocol. Otherwise a video is cut into windows, the last moved back to end with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import FeatureStore, VideoFeatures
from avloc.artifacts.stored_array import StoredArray
from avloc.artifacts.stored_features import stored_features
from avloc.datasets.dataset import SPLITS, Dataset, Row
from avloc.datasets.targets import Targets
from avloc.errors import ArtifactError, DatasetError
from avloc.progress import Progress
from avloc.timeline import Grid


@dataclass(frozen=True)
class Example:
    """One window of one row."""

    row: int  # the row's number in the data set
    video: int  # the index in `Examples.videos`
    first: int  # the video's segment that the window begins with
    targets: Targets  # of T segments
    present: NDArray[np.bool_]  # (C,) labels of the row, or of its whole video


@dataclass(frozen=True)
class Examples:
    """A split, whose maps and vectors stay in their files (`StoredArray`)."""

    videos: tuple[VideoFeatures, ...]  # that have features, each once
    entries: tuple[Example, ...]  # in the order of the data set's rows
    missing: tuple[str, ...]  # ids of the split's videos without features
    visual_shape: tuple[int, int, int]  # (H, W, Dv) of every map
    audio_channels: int  # Da
    unreadable: tuple[str, ...] = ()  # why features of missing videos cannot be read

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def video_ids(self) -> tuple[str, ...]:
        """The R video ids."""
        return tuple(self.videos[entry.video].video_id for entry in self.entries)

    @cached_property
    def are_maps_half(self) -> bool:
        """Whether half precision holds all maps."""
        dtypes = {video.visual.dtype for video in self.videos if video.visual is not None}
        return dtypes <= {np.dtype(np.float16)}

    @property
    def are_in_files(self) -> bool:
        """Whether maps are in files, not in memory."""
        return any(isinstance(video.visual, StoredArray) for video in self.videos)

    @property
    def n_segments(self) -> int:
        """T of the longest window."""
        return max(len(entry.targets) for entry in self.entries)

    def of_videos(self, video_ids: frozenset[str]) -> Examples:
        """Return the examples of these videos only, without the others' features."""
        chosen = [n for n, video in enumerate(self.videos) if video.video_id in video_ids]
        new_index = {old: new for new, old in enumerate(chosen)}
        entries = [
            replace(entry, video=new_index[entry.video])
            for entry in self.entries
            if entry.video in new_index
        ]
        return replace(self, videos=tuple(self.videos[n] for n in chosen), entries=tuple(entries))


def load_examples(
    store: FeatureStore,
    dataset: Dataset,
    split: str,
    *,
    window: int | None = None,
    channels: tuple[int, int] = (1, 1),
    progress: Progress | None = None,
) -> Examples:
    """Read a split's features and cut them into examples.

    ``split`` is empty for rows without one. A data set's fixed grid overrides ``window``, the
    most segments of an example. ``channels`` (Dv, Da) is used where no video has a modality.
    ``progress`` gets (videos read, videos, video id). A split without features is a DatasetError.
    """
    part = f"the {split} split" if split else "the part without a split"
    rows = dataset.split(split)
    if not rows:
        present = [name for name in SPLITS if any(row.split == name for row in dataset.rows)]
        hint = f"Its splits are: {', '.join(present)}." if present else "It has no splits at all."
        raise DatasetError(f"no rows are in {part}", dataset.root, hint=hint)
    video_ids = list(dict.fromkeys(row.video_id for _, row in rows))
    videos, unreadable = _read_videos(store, video_ids, progress)
    if not videos:
        why = f", and existing features cannot be read: {unreadable[0]}" if unreadable else ""
        raise DatasetError(
            f"none of the {len(video_ids)} videos of {part} has features in {store.root}{why}",
            dataset.root,
            hint=f"Extract them first: avloc extract {dataset.root}",
        )
    index_of = {video_id: index for index, video_id in enumerate(videos)}
    entries = [
        Example(number, index_of[row.video_id], first, targets, dataset.present(row))
        for number, row in rows
        if row.video_id in videos
        for first, targets in _windows(dataset, row, videos[row.video_id], window)
    ]
    missing = tuple(video_id for video_id in video_ids if video_id not in videos)
    features = tuple(videos.values())
    return Examples(features, tuple(entries), missing, *_sizes(features, channels), unreadable)


def _read_videos(
    store: FeatureStore, video_ids: Sequence[str], progress: Progress | None
) -> tuple[dict[str, VideoFeatures], tuple[str, ...]]:
    videos, unreadable = {}, []
    results = zip(video_ids, stored_features(store, video_ids), strict=True)
    for done, (video_id, result) in enumerate(results, start=1):
        if isinstance(result, ArtifactError):
            unreadable.append(result.message)
        elif result is not None:
            videos[video_id] = result
        if progress is not None:
            progress(done, len(video_ids), video_id)
    return videos, tuple(unreadable)


def _windows(
    dataset: Dataset, row: Row, features: VideoFeatures, window: int | None
) -> Iterator[tuple[int, Targets]]:
    segment_seconds = Fraction(features.segment_seconds).limit_denominator(10**6)
    fixed = dataset.fixed_length(segment_seconds)
    n_segments = fixed or features.n_segments
    targets = dataset.targets(row, Grid(n_segments, segment_seconds))
    length = fixed or min(window or n_segments, n_segments)
    for start in range(0, n_segments, length):
        first = min(start, n_segments - length)
        yield first, targets.window(first, length, start - first)


def _sizes(
    videos: Sequence[VideoFeatures], channels: tuple[int, int]
) -> tuple[tuple[int, int, int], int]:
    visual = next((video.visual for video in videos if video.visual is not None), None)
    audio = next((video.audio for video in videos if video.audio is not None), None)
    height, width, depth = (1, 1, channels[0]) if visual is None else visual.shape[1:]
    return (height, width, depth), channels[1] if audio is None else audio.shape[1]
