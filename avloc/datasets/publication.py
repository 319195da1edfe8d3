"""Published features out: which rows of a data set can be written in AVE's layout, and how.

What cannot be written is named: a video without features, without picture or without sound,
or of another length. It is never made up of zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import FeatureStore, VideoFeatures
from avloc.datasets.dataset import SPLITS, Dataset
from avloc.datasets.published_features import rows_by_video
from avloc.errors import ArtifactError, UsageError
from avloc.progress import Progress, silent
from avloc.timeline import Grid

_Shapes = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Survey:
    """What of a data set a store can give.

    Attributes:
        rows: the numbers of the rows that can be written, in order.
        reasons: why a video's rows cannot, by video id.
        visual_shape: (T, H, W, Dv) of every video that can; empty if none can.
        audio_shape: (T, Da) likewise.
        n_filled: how many of ``rows`` have segments without real picture or sound, as a clip
            that is shorter than the grid has at its end.
    """

    rows: tuple[int, ...]
    reasons: dict[str, str]
    visual_shape: tuple[int, ...]
    audio_shape: tuple[int, ...]
    n_filled: int


def survey(store: FeatureStore, dataset: Dataset, progress: Progress = silent) -> Survey:
    """Read each video's features once and tell which rows can be written.

    Args:
        store: the features.
        dataset: the rows; each is an example by itself, on a grid that all share.
        progress: called with (videos read, videos, video id).

    Raises:
        UsageError: the data set has no fixed grid, or its rows are not examples by themselves.
    """
    n_segments = _fixed_grid(dataset)
    kept: list[int] = []
    reasons: dict[str, str] = {}
    shapes: _Shapes = ((), ())
    n_filled = 0
    videos = rows_by_video(dataset)
    for done, (video_id, rows) in enumerate(videos.items(), start=1):
        progress(done, len(videos), video_id)
        features = _read(store, video_id)
        if isinstance(features, str):
            reasons[video_id] = features
        elif reason := _obstacle(features, n_segments, shapes):
            reasons[video_id] = reason
        else:
            kept += rows
            shapes = _shapes(features)
            is_whole = features.visual_valid.all() and features.audio_valid.all()
            n_filled += 0 if is_whole else len(rows)
    return Survey(tuple(sorted(kept)), reasons, *shapes, n_filled)


def annotation_lines(dataset: Dataset, rows: tuple[int, ...]) -> str:
    """Return ``Annotations.txt`` of some rows, without header line: a line is a row number."""
    chosen = (dataset.rows[number] for number in rows)
    return "".join(
        f"{row.label}&{row.video_id}&{row.quality}&{_plain(row.start)}&{_plain(row.end)}\n"
        for row in chosen
    )


def orders(dataset: Dataset, rows: tuple[int, ...]) -> dict[str, list[int]]:
    """Return by split the places in ``rows`` of its rows, ascending: what an order file lists."""
    return {
        name: [place for place, number in enumerate(rows) if dataset.rows[number].split == name]
        for name in SPLITS
    }


def one_hot(dataset: Dataset, number: int, features: VideoFeatures) -> NDArray[np.float32]:
    """Return (T, C): a row's class in each segment as 1, background last.

    C is that of the whole data set, so that a class keeps its index when rows are left out.
    """
    segment_seconds = Fraction(features.segment_seconds).limit_denominator(10**6)
    targets = dataset.targets(dataset.rows[number], Grid(features.n_segments, segment_seconds))
    return np.eye(dataset.labels.n_classes, dtype=np.float32)[targets]


def _fixed_grid(dataset: Dataset) -> int:
    if dataset.n_segments is None or not dataset.is_row_alone:
        raise UsageError(
            f"{dataset.root} cannot be written in AVE's layout, where every row has one event and"
            " as many segments as any other",
            "The layout is for data sets like AVE: a folder with Annotations.txt.",
        )
    return dataset.n_segments


def _read(store: FeatureStore, video_id: str) -> VideoFeatures | str:
    """Return a video's features, or why there are none."""
    try:
        return store.read(video_id)
    except ArtifactError as error:
        return error.message if store.path_of(video_id).exists() else "no features"


def _shapes(features: VideoFeatures) -> _Shapes:
    visual, audio = features.visual, features.audio
    return () if visual is None else visual.shape, () if audio is None else audio.shape


def _obstacle(features: VideoFeatures, n_segments: int, known: _Shapes) -> str:
    """Say why features cannot be a row; nothing if they can."""
    if features.visual is None or features.audio is None:
        return "no picture" if features.visual is None else "no sound"
    if features.n_segments != n_segments:
        return f"{features.n_segments} segments, not {n_segments}"
    found = _shapes(features)
    return "" if known in (((), ()), found) else f"shapes {found}, unlike {known} before"


def _plain(seconds: float) -> str:
    """Write a time as AVE's files do, whole seconds without a point."""
    return str(int(seconds)) if seconds.is_integer() else repr(seconds)
