"""Videos in, features out: one video at a time, or many into a store."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from torch import Tensor

from avloc.artifacts import Failure, FeatureStore, VideoFeatures
from avloc.devices import count_cores
from avloc.errors import UnknownNameError, UsageError
from avloc.features.assembly import ClipAssembly, KeepMaps
from avloc.features.batch import Batch
from avloc.features.decoding import (
    ClipClosed,
    ClipFailed,
    DecodingTask,
    Message,
    decode_clip,
    decode_or_fail,
)
from avloc.features.decoding_pool import CHUNK_SECONDS, DecodingPool
from avloc.features.encoders import Encoders
from avloc.features.spec import FeatureSpec
from avloc.features.writing import StoreWriting
from avloc.progress import Progress, silent
from avloc.timeline import Grid

OVERWRITE = ("stale", "always", "never")
_CPU_NICENESS = 10
_FEW = 2  # clips that are decoded sooner than processes are started
_Messages = Iterable[tuple[DecodingTask, Message]]


@dataclass(frozen=True)
class ExtractionReport:
    """What `extract` did.

    Attributes:
        n_done: videos extracted now.
        n_skipped: videos that were there already.
        failures: the videos that could not be extracted, and why.
    """

    n_done: int
    n_skipped: int
    failures: tuple[Failure, ...] = ()


def extract_video(
    path: Path | str,
    encoders: Encoders,
    *,
    video_id: str | None = None,
    grid: Grid | None = None,
    progress: Progress | None = None,
) -> VideoFeatures:
    """Extract one video's features in this process, in memory that does not grow with frames.

    Args:
        path: the video.
        encoders: what to extract with.
        video_id: names it; the file's name without suffix by default.
        grid: its segments; by its duration by default.
        progress: called with (segments done, segments, video id).

    Raises:
        MediaError: it cannot be opened or decoded.
    """
    path = Path(path)
    task = DecodingTask(video_id or path.stem, path, encoders.spec, grid)
    batches = _Batches(encoders, None)
    maps: list[Tensor] = []
    clip = batches.assembly(task, lambda _, some: maps.append(some.cpu()))
    for message in decode_clip(task):
        clip.take(message)
        clip.settle()
        if progress is not None:
            progress(clip.n_taken, clip.n_segments, task.video_id)
    batches.flush()
    clip.settle()
    visual = np.concatenate([some.numpy() for some in maps]) if maps else None
    return replace(clip.features(), visual=visual)


def extract(
    videos: Sequence[tuple[str, Path]],
    store: FeatureStore,
    encoders: Encoders,
    *,
    n_segments: int | None = None,
    workers: int | None = None,
    batch_size: int | None = None,
    overwrite: str = "stale",
    chunk_seconds: float = CHUNK_SECONDS,
    progress: Progress | None = None,
) -> ExtractionReport:
    """Extract many videos into a store; a bad one costs only itself.

    The features do not depend on ``workers`` or, on a CPU, on ``batch_size``: bit for bit.

    Args:
        videos: (video id, file) pairs.
        store: where features and failures go; of the encoders' fingerprint.
        encoders: what to extract with.
        n_segments: T of every video where a data set fixes it; by duration otherwise.
        workers: decoding processes; 0 decodes in this process, None chooses.
        batch_size: frames the device takes at once; None chooses.
        overwrite: ``stale`` extracts what is missing or of another fingerprint, ``always``
            everything, ``never`` only what has no file at all.
        chunk_seconds: how long a decoder may take for some 8 MiB of pictures before its clip
            is given up as hanging.
        progress: called with (videos ended, videos to do, video id).

    Raises:
        UnknownNameError: no such way to overwrite. UsageError: a number makes no sense, or an
        id stands for two files. FingerprintError: the store is of other features.
        OutputError: the store cannot be written.
    """
    _check(workers, batch_size, overwrite)
    # The store says itself how it differs from these encoders.
    store = FeatureStore.create(store.root, encoders.spec.to_dict(), encoders.spec.fingerprint)
    store.sweep()
    distinct = _distinct(videos)
    todo = [pair for pair in distinct if not _is_done(store, pair[0], overwrite)]
    grid = Grid(n_segments, encoders.spec.exact_segment_seconds) if n_segments else None
    tasks = [DecodingTask(video_id, path, encoders.spec, grid) for video_id, path in todo]
    n_workers = _n_workers(workers, len(tasks), encoders)
    niceness = _CPU_NICENESS if encoders.device.type == "cpu" else 0
    with (
        StoreWriting(store) as writing,
        _messages(tasks, n_workers, encoders.spec, niceness, chunk_seconds) as messages,
    ):
        batches = _Batches(encoders, batch_size)
        run = _Run(store, writing, batches, len(tasks), progress or silent)
        for task, message in messages:
            run.take(task, message)
        run.finish()
    return ExtractionReport(run.n_done, len(distinct) - len(todo), tuple(run.failures))


class _Batches:
    """The two batches that all clips of a run share."""

    def __init__(self, encoders: Encoders, batch_size: int | None) -> None:
        visual, audio = encoders.visual, encoders.audio
        size = batch_size or visual.group
        if encoders.device.type == "cuda":
            visual = replace(visual, group=size)
            audio = replace(audio, group=min(audio.group, size))
        # A CPU keeps its own small group, and with it the same bits; short ones are filled up.
        size = -(-size // visual.group) * visual.group
        self.frames = Batch(visual.encode, size, encoders.device)
        self.patches = Batch(audio.encode, audio.group, encoders.device)

    def assembly(self, task: DecodingTask, keep_maps: KeepMaps) -> ClipAssembly:
        return ClipAssembly(task, self.frames, self.patches, keep_maps)

    @property
    def n_encoded(self) -> int:
        return self.frames.n_encoded + self.patches.n_encoded

    def flush(self) -> None:
        self.frames.flush()
        self.patches.flush()


class _Run:
    """The state of one `extract`: clips under way, and what became of the others."""

    def __init__(
        self,
        store: FeatureStore,
        writing: StoreWriting,
        batches: _Batches,
        n_total: int,
        progress: Progress,
    ) -> None:
        self._store = store
        self._writing = writing
        self._batches = batches
        self._n_total = n_total
        self._progress = progress
        self._clips: dict[str, ClipAssembly] = {}
        self.n_done = 0
        self.failures: list[Failure] = []

    def take(self, task: DecodingTask, message: Message) -> None:
        """Take one message of one clip; writes whatever that completes."""
        if isinstance(message, ClipFailed):
            self._fail(task, message.reason)
            return
        n_encoded = self._batches.n_encoded
        self._clip(task).take(message)
        if self._batches.n_encoded > n_encoded or isinstance(message, ClipClosed):
            self._settle()

    def finish(self) -> None:
        """Encode what no full batch took along, and write the rest."""
        self._batches.flush()
        self._settle()

    def _clip(self, task: DecodingTask) -> ClipAssembly:
        if task.video_id not in self._clips:
            keep_maps = partial(self._writing.put_visual, task.video_id)
            self._clips[task.video_id] = self._batches.assembly(task, keep_maps)
        return self._clips[task.video_id]

    def _settle(self) -> None:
        for video_id, clip in list(self._clips.items()):
            clip.settle()
            if clip.is_complete:
                self._writing.finish(video_id, clip.n_segments, clip.features)
                del self._clips[video_id]
                self.n_done += 1
                self._tell(video_id)

    def _fail(self, task: DecodingTask, reason: str) -> None:
        self._clips.pop(task.video_id, None)
        self._writing.abandon(task.video_id)
        failure = Failure(task.video_id, str(task.path), reason)
        self._store.record_failure(failure.video_id, failure.source, failure.reason)
        self.failures.append(failure)
        self._tell(task.video_id)

    def _tell(self, video_id: str) -> None:
        self._progress(self.n_done + len(self.failures), self._n_total, video_id)


@contextmanager
def _messages(
    tasks: Sequence[DecodingTask],
    n_workers: int,
    spec: FeatureSpec,
    niceness: int,
    chunk_seconds: float,
) -> Iterator[_Messages]:
    if n_workers == 0:
        with closing(_decode_here(tasks)) as messages:
            yield messages
    else:
        with DecodingPool(n_workers, spec, niceness=niceness, chunk_seconds=chunk_seconds) as pool:
            yield pool.decode(tasks)


def _decode_here(
    tasks: Sequence[DecodingTask],
) -> Generator[tuple[DecodingTask, Message]]:
    for task in tasks:
        for message in decode_or_fail(task):
            yield task, message


def _n_workers(asked: int | None, n_tasks: int, encoders: Encoders) -> int:
    """Return how many processes decode; on a CPU most cores are the encoders'."""
    if asked is not None:
        return min(asked, n_tasks)
    if n_tasks <= _FEW:
        return 0
    n_cores = count_cores()
    return min(n_tasks, n_cores if encoders.device.type == "cuda" else max(1, n_cores // 4))


def _is_done(store: FeatureStore, video_id: str, overwrite: str) -> bool:
    if overwrite == "always":
        return False
    return store.path_of(video_id).exists() if overwrite == "never" else video_id in store


def _distinct(videos: Sequence[tuple[str, Path]]) -> list[tuple[str, Path]]:
    files: dict[str, Path] = {}
    for video_id, path in videos:
        if files.setdefault(video_id, Path(path)) != Path(path):
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
