"""The worker of an extraction: it decodes and encodes videos and writes their features itself.

An extraction on this machine is one worker that gets all videos at once. On a cluster many
workers get a few at a time; nothing but rows goes through the driver.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Self

from avloc.artifacts import FeatureStore, Location
from avloc.artifacts.store import check_id
from avloc.decoding.clip_decoding import DecodingTask
from avloc.decoding.decoding_pool import DecodingPool
from avloc.decoding.silence import SILENCE_SECONDS
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
from avloc.features.encoders import Encoders
from avloc.features.encoding_batch import Batches
from avloc.features.extraction_run import Run
from avloc.features.sharing import Sharing
from avloc.features.store_thread import StoreThread
from avloc.options import OVERWRITE
from avloc.progress import Progress, silent
from avloc.timeline import Grid

_CPU_NICENESS = 10
_FEW = 2  # clips that are decoded sooner than processes are started

Status = Literal["done", "skipped", "failed", "claimed elsewhere"]


@dataclass(frozen=True)
class VideoRow:
    """What became of one video.

    Attributes:
        video_id: names it.
        status: ``skipped`` if its features are there already; ``claimed elsewhere`` while
            another run works on it.
        n_segments: T of a video that is done.
        seconds: from its first segment to its last.
        reason: why it failed.
        source: its file.
    """

    video_id: str
    status: Status
    n_segments: int = 0
    seconds: float = 0.0
    reason: str = ""
    source: str = ""


@dataclass(frozen=True)
class WorkSettings:
    """What all workers of an extraction have in common; see `avloc.features.extract`.

    Attributes:
        began: when the extraction began; with ``always``, what is newer is not made again.
        in_lots: videos come in many lots: those claimed elsewhere are passed over, and there
            are as many decoding processes as were asked for.
    """

    n_segments: int | None = None
    workers: int | None = None
    batch_size: int | None = None
    overwrite: str = "stale"
    silence_seconds: float = SILENCE_SECONDS
    began: float = field(default_factory=time.time)
    in_lots: bool = False

    def __post_init__(self) -> None:
        if self.overwrite not in OVERWRITE:
            raise UnknownNameError("way to overwrite", self.overwrite, OVERWRITE)
        if self.workers is not None and self.workers < 0:
            raise UsageError(f"cannot decode in {self.workers} processes", "Give 0 or more.")
        if self.batch_size is not None and self.batch_size < 1:
            raise UsageError(f"cannot take {self.batch_size} frames at once", "Give 1 or more.")


class FeatureWorker:
    """A context that extracts videos into a store; its decoding processes end with it.

    Attributes:
        n_signs: grows with every segment.
    """

    def __init__(self, store: FeatureStore, encoders: Encoders, settings: WorkSettings) -> None:
        self._store, self._encoders, self._settings = store, encoders, settings
        length, seconds = settings.n_segments, encoders.spec.exact_segment_seconds
        self._grid = Grid(length, seconds) if length else None
        self._is_done = partial(_is_done, store, settings.overwrite, settings.began)
        self._pool: DecodingPool | None = None
        self._stack = ExitStack()
        self.n_signs = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(
        self, videos: Sequence[tuple[str, Location]], progress: Progress = silent
    ) -> list[VideoRow]:
        """Extract videos, (id, file) each, and return a row for each, in their order."""
        store, spec = self._store, self._encoders.spec
        tasks = [DecodingTask(video_id, path, spec, self._grid) for video_id, path in videos]
        unnamed = _unnamed(tasks)
        named = [task for task in tasks if task.video_id not in unnamed]
        done = store.select([task.video_id for task in named], self._is_done)
        todo = [task for task in named if task.video_id not in done]
        decoding = self._decoding(len(todo))
        with Sharing(todo, store.claim, self._is_done) as sharing:
            with StoreThread(store, sharing.release) as writing:
                batches = Batches(self._encoders, self._settings.batch_size)
                n_total = len(unnamed) + len(todo)
                run = Run(store, writing, sharing, batches, n_total, progress)
                for unclaimed in sharing.rounds():
                    with closing(decoding.decode(unclaimed)) as messages:
                        for task, message in messages:
                            run.take(task, message)
                            self.n_signs += 1
                    run.finish()
                    if self._settings.in_lots:
                        break
            run.refuse(tasks, unnamed | writing.refused)
        left = set(sharing.left)
        return [_row(task, run, is_left=task.video_id in left) for task in tasks]

    def _decoding(self, n_tasks: int) -> DecodingPool:
        """Return the decoding processes, which are started when they are first needed."""
        if self._pool is None:
            is_cpu = self._encoders.device.type == "cpu"
            self._pool = DecodingPool(
                self._n_processes(n_tasks),
                self._encoders.spec,
                _CPU_NICENESS if is_cpu else 0,
                self._settings.silence_seconds,
            )
            self._stack.enter_context(self._pool)
        return self._pool

    def _n_processes(self, n_tasks: int) -> int:
        asked, is_cuda = self._settings.workers, self._encoders.device.type == "cuda"
        if asked is not None:
            return asked if self._settings.in_lots else min(asked, n_tasks)
        if n_tasks <= _FEW:
            return 0
        n_cores = count_cores()  # on a CPU most are the encoders'
        return min(n_tasks, n_cores if is_cuda else max(1, n_cores // 4))


def _row(task: DecodingTask, run: Run, *, is_left: bool) -> VideoRow:
    video_id, source = task.video_id, str(task.path)
    if video_id in run.reasons:
        return VideoRow(video_id, "failed", reason=run.reasons[video_id], source=source)
    if video_id in run.done:
        return VideoRow(video_id, "done", *run.done[video_id], source=source)
    return VideoRow(video_id, "claimed elsewhere" if is_left else "skipped", source=source)


def _unnamed(tasks: Sequence[DecodingTask]) -> dict[str, AvlocError]:
    """Return the ids that cannot name a file in a store, and why."""
    errors: dict[str, AvlocError] = {}
    for task in tasks:
        try:
            check_id(task.video_id)
        except UsageError as error:
            errors[task.video_id] = error
    return errors


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
