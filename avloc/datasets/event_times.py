"""Events that end after their video: a wrong time, or a video that was cut."""

from __future__ import annotations

from avloc.datasets.dataset import Dataset
from avloc.datasets.examples import Examples


def late_events(dataset: Dataset, *parts: Examples) -> tuple[str, ...]:
    """Describe the rows of videos in ``parts`` whose event ends over a segment after the video."""
    videos = {video.video_id: video for examples in parts for video in examples.videos}
    late = []
    for number, row in enumerate(dataset.rows, start=1):
        video = videos.get(row.video_id)
        if video is not None and row.end > video.duration + video.segment_seconds:
            late.append(
                f"row {number}: {row.label!r} of {row.video_id} from {row.start:g} to "
                f"{row.end:g} s, and the video ends at {video.duration:g} s"
            )
    return tuple(late)
