"""Videos in, features out: one video at a time, or many into a store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import Failure, FeatureStore, Location, VideoFeatures, as_location
from avloc.decoding.clip_decoding import DecodingTask
from avloc.decoding.silence import SILENCE_SECONDS, decode_watched
from avloc.errors import UsageError
from avloc.features.clip_features import ClipFeatures
from avloc.features.encoders import Encoders
from avloc.features.encoding_batch import Batches
from avloc.features.worker import FeatureWorker, VideoRow, WorkSettings
from avloc.progress import Progress, silent
from avloc.timeline import Grid


@dataclass(frozen=True)
class ExtractionReport:
    """What `extract` did."""

    n_done: int
    n_skipped: int  # done already, or by another run meanwhile
    failures: tuple[Failure, ...] = ()


def extract_video(
    path: Location | str,
    encoders: Encoders,
    *,
    video_id: str | None = None,
    grid: Grid | None = None,
    sha256: str | None = None,
    silence_seconds: float = SILENCE_SECONDS,
    progress: Progress | None = None,
) -> VideoFeatures:
    """Extract one video's features in this process; `MediaError` if it cannot be decoded.

    Args:
        path: the video, or its address.
        encoders: what to extract with.
        video_id: names it; the file's name without suffix by default.
        grid: its segments; by its duration by default.
        sha256: of the file, if it is known; else the file is read once more for it.
        silence_seconds: a decoder that gives no sign for so long is given up.
        progress: called with (segments done, segments, video id).
    """
    path = as_location(path)
    task = DecodingTask(video_id or path.stem, path, encoders.spec, grid, sha256)
    batches = Batches(encoders, None)
    clip = ClipFeatures(batches)
    visual: list[NDArray[np.float16]] = []

    def keep_maps() -> None:
        if (maps := clip.next_maps()) is not None:
            visual.append(maps.cpu().numpy())

    with closing(decode_watched(task, silence_seconds)) as messages:
        for message in messages:
            clip.take(message)
            keep_maps()
            if progress is not None:
                progress(clip.n_taken, clip.n_segments, task.video_id)
    batches.encode()
    keep_maps()
    return replace(clip.features(), visual=np.concatenate(visual) if visual else None)


def extract(
    videos: Sequence[tuple[str, Location]],
    store: FeatureStore,
    encoders: Encoders,
    *,
    n_segments: int | None = None,
    workers: int | None = None,
    batch_size: int | None = None,
    overwrite: str = "stale",
    silence_seconds: float = SILENCE_SECONDS,
    progress: Progress | None = None,
) -> ExtractionReport:
    """Extract many videos into a store; one that fails does not stop the others.

    Runs on the same store at the same time share the videos: each is done by one of them.
    The features' bits do not depend on ``workers`` or, on a CPU, on ``batch_size``.

    Args:
        videos: (video id, file or address) pairs.
        store: where features and failures go; of the encoders' fingerprint.
        encoders: what to extract with.
        n_segments: T of every video where a data set fixes it; by duration otherwise.
        workers: decoding processes; 0 decodes in this process, None chooses.
        batch_size: frames the device takes at once; None chooses.
        overwrite: ``stale`` extracts what is missing, unreadable or of another fingerprint,
            ``always`` everything, ``never`` only what is missing or unreadable.
        silence_seconds: a decoder that gives no sign for so long is given up.
        progress: called with (videos ended, videos to do, video id, or what is waited for).
    """
    settings = WorkSettings(n_segments, workers, batch_size, overwrite, silence_seconds)
    # Refuses encoders of another spec.
    store = FeatureStore.create(store.root, encoders.spec)
    store.sweep()
    with FeatureWorker(store, encoders, settings) as worker:
        return report_of(worker.run(distinct_videos(videos), progress or silent))


def report_of(rows: Iterable[VideoRow]) -> ExtractionReport:
    """Return what an extraction did whose videos ended with these rows."""
    n_of, failures = Counter[str](), list[Failure]()
    for row in rows:
        n_of[row.status] += 1
        if row.status == "failed":
            failures.append(Failure(row.video_id, row.source, row.reason))
    return ExtractionReport(n_of["done"], n_of["skipped"], tuple(failures))


def distinct_videos(videos: Sequence[tuple[str, Location]]) -> list[tuple[str, Location]]:
    """Return each video once; UsageError if two files have the same id."""
    files: dict[str, Location] = {}
    for video_id, path in videos:
        if files.setdefault(video_id, as_location(path)) != as_location(path):
            raise UsageError(
                f"{files[video_id]} and {path} would both be the video {video_id!r}",
                "Give one of them another id, or extract into two stores.",
            )
    return list(files.items())
