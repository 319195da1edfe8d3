"""Videos in, features out: one video at a time, or many into a store."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import Failure, FeatureStore, Location, VideoFeatures, as_location
from avloc.artifacts.store import check_id
from avloc.devices import count_cores
from avloc.errors import (
    ArtifactError,
    AvlocError,
    FingerprintError,
    NewerSchemaError,
    UnknownNameError,
    UsageError,
    WrongKindError,
)
from avloc.features.clip_features import ClipFeatures
from avloc.features.decoding import DecodingTask
from avloc.features.decoding_pool import DecodingPool
from avloc.features.encoders import Encoders
from avloc.features.encoding_batch import Batches
from avloc.features.extraction_run import Run
from avloc.features.sharing import Sharing
from avloc.features.silence import SILENCE_SECONDS, decode_watched
from avloc.features.store_thread import StoreThread
from avloc.options import OVERWRITE
from avloc.progress import Progress, silent
from avloc.timeline import Grid

_CPU_NICENESS = 10
_FEW = 2  # clips that are decoded sooner than processes are started


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
    _check(workers, batch_size, overwrite)
    # Refuses encoders of another spec.
    store = FeatureStore.create(store.root, encoders.spec)
    store.sweep()
    distinct = _distinct(videos)
    grid = Grid(n_segments, encoders.spec.exact_segment_seconds) if n_segments else None
    tasks = [DecodingTask(video_id, path, encoders.spec, grid) for video_id, path in distinct]
    unnamed = _unnamed(tasks)
    is_left = partial(_is_done, store, overwrite, time.time())
    named = [task for task in tasks if task.video_id not in unnamed]
    done = store.select([task.video_id for task in named], is_left)
    todo = [task for task in named if task.video_id not in done]
    n_workers = _n_workers(workers, len(todo), encoders)
    niceness = _CPU_NICENESS if encoders.device.type == "cpu" else 0
    decoding = DecodingPool(n_workers, encoders.spec, niceness, silence_seconds)
    with Sharing(todo, store.claim, is_left) as sharing:
        with StoreThread(store, sharing.release) as writing, decoding:
            n_total, batches = len(unnamed) + len(todo), Batches(encoders, batch_size)
            run = Run(store, writing, sharing, batches, n_total, progress or silent)
            for unclaimed in sharing.rounds():
                with closing(decoding.decode(unclaimed)) as messages:
                    for task, message in messages:
                        run.take(task, message)
                run.finish()
        run.refuse(tasks, unnamed | writing.refused)
    n_skipped = len(tasks) - run.n_done - len(run.failures)
    return ExtractionReport(run.n_done, n_skipped, tuple(run.failures))


def _unnamed(tasks: Sequence[DecodingTask]) -> dict[str, AvlocError]:
    """Return the ids that cannot name a file in a store, and why."""
    errors: dict[str, AvlocError] = {}
    for task in tasks:
        try:
            check_id(task.video_id)
        except UsageError as error:
            errors[task.video_id] = error
    return errors


def _n_workers(asked: int | None, n_tasks: int, encoders: Encoders) -> int:
    if asked is not None:
        return min(asked, n_tasks)
    if n_tasks <= _FEW:
        return 0
    n_cores = count_cores()  # on a CPU most are the encoders'
    return min(n_tasks, n_cores if encoders.device.type == "cuda" else max(1, n_cores // 4))


def _distinct(videos: Sequence[tuple[str, Location]]) -> list[tuple[str, Location]]:
    files: dict[str, Location] = {}
    for video_id, path in videos:
        if files.setdefault(video_id, as_location(path)) != as_location(path):
            raise UsageError(
                f"{files[video_id]} and {path} would both be the video {video_id!r}",
                "Give one of them another id, or extract into two stores.",
            )
    return list(files.items())


def _check(workers: int | None, batch_size: int | None, overwrite: str) -> None:
    if overwrite not in OVERWRITE:
        raise UnknownNameError("way to overwrite", overwrite, OVERWRITE)
    if workers is not None and workers < 0:
        raise UsageError(f"cannot decode in {workers} processes", "Give 0 or more.")
    if batch_size is not None and batch_size < 1:
        raise UsageError(f"cannot take {batch_size} frames at once", "Give 1 or more.")


def _is_done(store: FeatureStore, overwrite: str, began: float, video_id: str) -> bool:
    if overwrite == "always":  # another run may have made it meanwhile
        return (store.written_at(video_id) or 0.0) > began and video_id in store
    return video_id in store or (overwrite == "never" and _is_readable(store, video_id))


def _is_readable(store: FeatureStore, video_id: str) -> bool:
    try:
        store.read(video_id)
    except (FingerprintError, NewerSchemaError, WrongKindError):  # another avloc can read it
        return True
    except ArtifactError:
        return False
    return True
