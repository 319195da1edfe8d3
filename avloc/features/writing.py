"""Features written beside the work: the device and the decoders do not wait for the disk."""

from __future__ import annotations

from collections.abc import Callable
from queue import Queue
from threading import Thread

from torch import Tensor

from avloc.artifacts import FeatureStore, FeatureWriter, VideoFeatures

_MOST_WAITING = 8  # things to write; beyond that the disk is what decides


class StoreWriting:
    """A context in which a store is written by another thread, in the order of the calls.

    Leaving it waits for the rest, and what was not finished leaves no trace. Each call and
    the leaving raise what went wrong before: OutputError if the place cannot be written.

    Args:
        store: where to.
    """

    def __init__(self, store: FeatureStore) -> None:
        self._store = store
        self._writers: dict[str, FeatureWriter] = {}  # the thread's own
        self._jobs: Queue[Callable[[], None] | None] = Queue(_MOST_WAITING)
        self._error: BaseException | None = None
        self._thread = Thread(target=self._work, name="avloc-writing")

    def __enter__(self) -> StoreWriting:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Wait for what is to be written, and drop what was not finished."""
        self._jobs.put(None)
        self._thread.join()
        if kind is None:
            self._raise()

    def put_visual(self, video_id: str, n_segments: int, maps: Tensor) -> None:
        """Write the next of a video's ``n_segments`` maps, (k, H, W, Dv) on any device."""
        self._do(lambda: self._put_visual(video_id, n_segments, maps))

    def finish(self, video_id: str, n_segments: int, rest: Callable[[], VideoFeatures]) -> None:
        """Write all else of a video, and give its file its name."""
        self._do(lambda: self._finish(video_id, n_segments, rest()))

    def abandon(self, video_id: str) -> None:
        """Drop a video that cannot be finished."""
        self._do(lambda: self._abandon(video_id))

    def _do(self, job: Callable[[], None]) -> None:
        self._raise()
        self._jobs.put(job)

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if self._error is None:
                try:
                    job()
                except BaseException as error:
                    self._error = error
        for writer in self._writers.values():
            writer.abandon()

    def _put_visual(self, video_id: str, n_segments: int, maps: Tensor) -> None:
        self._writer(video_id, n_segments).put_visual(maps.cpu().numpy())

    def _finish(self, video_id: str, n_segments: int, rest: VideoFeatures) -> None:
        self._writer(video_id, n_segments).finish(rest)
        del self._writers[video_id]

    def _abandon(self, video_id: str) -> None:
        if video_id in self._writers:
            self._writers.pop(video_id).abandon()

    def _writer(self, video_id: str, n_segments: int) -> FeatureWriter:
        if video_id not in self._writers:
            self._writers[video_id] = self._store.writer(video_id, n_segments)
        return self._writers[video_id]
