"""The videos that a command is given: data sets, manifests, folders, files, or their addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.artifacts import Location
from avloc.datasets import Dataset, load_dataset
from avloc.engine.shard import parse_shard
from avloc.errors import MediaError


@dataclass(frozen=True)
class InputVideos:
    """The videos behind some paths.

    Attributes:
        videos: (video id, file or address) pairs, those of the shard.
        dataset: the labelled data set if the paths are exactly one, else None.
    """

    videos: list[tuple[str, Location]]
    dataset: Dataset | None


def find_videos(paths: Sequence[Path | str], shard: str = "1/1") -> InputVideos:
    """Find the videos behind data sets, manifests, folders and files; a shard keeps its part."""
    is_in_shard = parse_shard(shard)
    datasets = [load_dataset(path) for path in paths]
    videos: dict[str, Location] = {}
    for dataset in datasets:
        for video_id, path in dataset.videos.items():
            if videos.setdefault(video_id, path) != path:
                raise MediaError(
                    f"{videos[video_id]} and {path} would both be the video {video_id!r}",
                    "Extract them into different stores, or rename one.",
                )
    if not paths:
        raise MediaError("no video was named", "Name a folder, a video or a manifest.")
    if not videos:
        raise MediaError(
            f"no video found in {', '.join(map(str, paths))}", "Check the path and the suffixes."
        )
    is_labelled = len(datasets) == 1 and bool(datasets[0].rows)
    return InputVideos(
        [(video_id, path) for video_id, path in videos.items() if is_in_shard(video_id)],
        datasets[0] if is_labelled else None,
    )
