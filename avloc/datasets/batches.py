"""Examples and batches: features by video, targets by row, tensors by batch.

A data set with a grid of its own (AVE: 10 segments) gives one example a row; longer features
are cut and shorter ones padded with zeros, as its protocol has it. Without such a grid a video
is cut into windows, the last one moved back to end with the video, and a video shorter than a
window is taken as it is: nothing is padded, and a batch holds windows of one length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from avloc.artifacts import FeatureStore, VideoFeatures
from avloc.datasets.dataset import SPLITS, Dataset, Row
from avloc.errors import ArtifactError, DatasetError
from avloc.progress import Progress
from avloc.timeline import Grid

IGNORED = -1
"""The target of a segment that is not scored: another window has it already."""


@dataclass(frozen=True)
class Example:
    """One window of one row.

    Attributes:
        row: the row's number in the data set.
        video: the place of its video in `Examples.videos`.
        first: the video's segment that the window begins with.
        targets: (T,) class indices; `IGNORED` where the segment is not scored.
    """

    row: int
    video: int
    first: int
    targets: NDArray[np.int64]


@dataclass(frozen=True)
class Examples:
    """A split in memory: each video's features once, and the examples that point at them.

    Attributes:
        videos: the V videos that have features.
        entries: the R examples, in the order of the data set's rows.
        missing: ids of the split's videos whose features are not in the store.
        unreadable: of those, why: the features that are there and cannot be read.
        visual_shape: (H, W, Dv) of every visual map.
        audio_channels: Da.
    """

    videos: tuple[VideoFeatures, ...]
    entries: tuple[Example, ...]
    missing: tuple[str, ...]
    visual_shape: tuple[int, int, int]
    audio_channels: int
    unreadable: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return R."""
        return len(self.entries)

    @property
    def video_ids(self) -> tuple[str, ...]:
        """The R video ids."""
        return tuple(self.videos[entry.video].video_id for entry in self.entries)

    @property
    def n_segments(self) -> int:
        """T of the longest window."""
        return max(len(entry.targets) for entry in self.entries)

    def of_videos(self, video_ids: frozenset[str]) -> Examples:
        """Return the examples of these videos only, without the others' features."""
        kept = [n for n, video in enumerate(self.videos) if video.video_id in video_ids]
        place_of = {old: new for new, old in enumerate(kept)}
        entries = [
            replace(entry, video=place_of[entry.video])
            for entry in self.entries
            if entry.video in place_of
        ]
        return replace(self, videos=tuple(self.videos[n] for n in kept), entries=tuple(entries))


@dataclass(frozen=True)
class Batch:
    """B windows of one length as tensors; a missing modality is zeros and never valid.

    Attributes:
        visual: the visual maps, in half precision or, after `to`, in single.
        audio: the audio vectors.
        targets: class indices, `IGNORED` where not scored.
        visual_valid: the segment had real picture.
        audio_valid: the segment had real sound.
        places: the examples' places in `Examples.entries`.
    """

    visual: Float[Tensor, "B T H W Dv"]
    audio: Float[Tensor, "B T Da"]
    targets: Int[Tensor, "B T"]
    visual_valid: Bool[Tensor, "B T"]
    audio_valid: Bool[Tensor, "B T"]
    places: tuple[int, ...]

    def to(self, device: torch.device) -> Batch:
        """Return it on a device, the visual maps in single precision."""
        return Batch(
            self.visual.to(device).float(),
            self.audio.to(device),
            self.targets.to(device),
            self.visual_valid.to(device),
            self.audio_valid.to(device),
            self.places,
        )

    def hide(self, modality: str, rows: Tensor | None = None) -> None:
        """Take a modality from some windows, in place: zeros, as where a video lacks it.

        Args:
            modality: ``visual`` or ``audio``.
            rows: (B,) which windows; None for all.
        """
        for tensor in (getattr(self, modality), getattr(self, f"{modality}_valid")):
            tensor[slice(None) if rows is None else rows.to(tensor.device)] = 0


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

    Args:
        store: where the features lie.
        dataset: rows, labels and grid.
        split: ``train``, ``val``, ``test``, or empty for rows without a split.
        window: the most segments an example may have; None for no limit. A data set's own
            grid goes before.
        channels: (Dv, Da) to assume when no video of the split has that stream.
        progress: called with (videos read, videos, video id).

    Raises:
        DatasetError: the split has no rows, or none of its videos has features.
        UnknownNameError: there is no such split.
    """
    rows = dataset.split(split)
    if not rows:
        message = f"no rows are in {_split_in_words(split)}"
        raise DatasetError(message, dataset.root, hint=_splits_in_words(dataset))
    video_ids = list(dict.fromkeys(row.video_id for _, row in rows))
    videos, unreadable = _read_videos(store, video_ids, progress)
    if not videos:
        why = f", and what is there cannot be read: {unreadable[0]}" if unreadable else ""
        raise DatasetError(
            f"none of the {len(video_ids)} videos of {_split_in_words(split)} has features in "
            f"{store.root}{why}",
            dataset.root,
            hint=f"Extract them first: avloc extract {dataset.root}",
        )
    places = {video_id: place for place, video_id in enumerate(videos)}
    entries = [
        Example(number, places[row.video_id], first, targets)
        for number, row in rows
        if row.video_id in videos
        for first, targets in _windows(dataset, row, videos[row.video_id], window)
    ]
    missing = tuple(video_id for video_id in video_ids if video_id not in videos)
    sizes = _sizes(videos, channels)
    return Examples(tuple(videos.values()), tuple(entries), missing, *sizes, tuple(unreadable))


def batches(
    examples: Examples, size: int, seed: int | Sequence[int] | None = None
) -> Iterator[Batch]:
    """Walk the examples in batches.

    Args:
        examples: what to walk.
        size: the most examples a batch holds; windows of different length never share one.
        seed: shuffles by it; None keeps the order.
    """
    for places in batch_places(examples, size, seed):
        yield make_batch(examples, places)


def batch_places(
    examples: Examples, size: int, seed: int | Sequence[int] | None = None
) -> Iterator[list[int]]:
    """Walk the places of the examples in `Examples.entries`, as `batches` does."""
    order = np.arange(len(examples))
    if seed is not None:
        order = np.random.default_rng(seed).permutation(order)
    waiting: dict[int, list[int]] = {}
    for place in order.tolist():
        same_length = waiting.setdefault(len(examples.entries[place].targets), [])
        same_length.append(place)
        if len(same_length) == size:
            yield waiting.pop(len(examples.entries[place].targets))
    yield from waiting.values()


def _read_videos(
    store: FeatureStore,
    video_ids: Sequence[str],
    progress: Progress | None,
) -> tuple[dict[str, VideoFeatures], list[str]]:
    """Read what is there, and say of what cannot be read why."""
    videos, unreadable = {}, []
    for done, video_id in enumerate(video_ids, start=1):
        try:
            if store.path_of(video_id).exists():
                videos[video_id] = store.read(video_id)
        except ArtifactError as error:
            unreadable.append(error.message)
        if progress is not None:
            progress(done, len(video_ids), video_id)
    return videos, unreadable


def _windows(
    dataset: Dataset, row: Row, features: VideoFeatures, window: int | None
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Give each window's first segment and its targets."""
    segment_seconds = Fraction(features.segment_seconds).limit_denominator(10**6)
    n_segments = dataset.n_segments or features.n_segments
    targets = dataset.targets(row, Grid(n_segments, segment_seconds))
    length = n_segments if dataset.n_segments else min(window or n_segments, n_segments)
    for start in range(0, n_segments, length):
        first = min(start, n_segments - length)
        own = targets[first : first + length].copy()
        own[: start - first] = IGNORED
        yield first, own


def _sizes(
    videos: dict[str, VideoFeatures], channels: tuple[int, int]
) -> tuple[tuple[int, int, int], int]:
    maps = (video.visual for video in videos.values() if video.visual is not None)
    sounds = (video.audio for video in videos.values() if video.audio is not None)
    first_map, first_sound = next(maps, None), next(sounds, None)
    height, width, depth = (1, 1, channels[0]) if first_map is None else first_map.shape[1:]
    return (height, width, depth), channels[1] if first_sound is None else first_sound.shape[1]


def make_batch(examples: Examples, places: Sequence[int], visual: Tensor | None = None) -> Batch:
    """Put examples of one length together.

    Args:
        examples: where they are.
        places: which, by their places in `Examples.entries`.
        visual: memory for the visual maps, of their shape and any precision; new memory in
            half precision by default.
    """
    entries = [examples.entries[place] for place in places]
    size = (len(entries), len(entries[0].targets))
    if visual is None:
        visual = torch.empty(*size, *examples.visual_shape, dtype=torch.float16)
    audio = torch.empty(*size, examples.audio_channels)
    visual_valid, audio_valid = np.zeros(size), np.zeros(size)
    for b, entry in enumerate(entries):
        video, first = examples.videos[entry.video], entry.first
        visual_valid[b] = _fill(visual[b], video.visual, video.visual_valid, first)
        audio_valid[b] = _fill(audio[b], video.audio, video.audio_valid, first)
    return Batch(
        visual,
        audio,
        torch.from_numpy(np.stack([entry.targets for entry in entries])),
        torch.from_numpy(visual_valid.astype(np.bool_)),
        torch.from_numpy(audio_valid.astype(np.bool_)),
        tuple(places),
    )


def _fill(
    target: Tensor,
    source: NDArray[np.floating] | None,
    source_valid: NDArray[np.bool_],
    first: int,
) -> NDArray[np.bool_]:
    """Copy a window; what the video does not have is zero, and not valid, which is returned."""
    n_segments = len(target)
    n_there = 0 if source is None else min(n_segments, len(source) - first)
    if source is not None:
        target[:n_there] = torch.from_numpy(source[first : first + n_there])
    target[n_there:] = 0
    valid = np.zeros(n_segments, dtype=np.bool_)
    valid[:n_there] = source_valid[first : first + n_there]
    return valid


def _split_in_words(split: str) -> str:
    return f"the {split} split" if split else "the part without a split"


def _splits_in_words(dataset: Dataset) -> str:
    present = [name for name in SPLITS if any(row.split == name for row in dataset.rows)]
    return f"Its splits are: {', '.join(present)}." if present else "It has no splits at all."
