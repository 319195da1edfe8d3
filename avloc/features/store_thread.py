"""Features written by a thread, so that the device and the decoders do not wait for the disk."""

from __future__ import annotations

from collections.abc import Callable
from queue import Queue
from threading import Thread

from torch import Tensor

from avloc.artifacts import FeatureStore, FeatureWriter, VideoFeatures
from avloc.errors import ArtifactError, AvlocError, NameRefusedError

_MOST_WAITING = 8  # jobs; beyond that the caller waits for the disk


class StoreThread:
    """A context in which a thread writes a store, in the order of the calls.

    Leaving it waits for the rest and drops what was not finished. Every call, and leaving,
    raises the error that ended the thread. ``is_settled`` is called in the thread with a video's
    id once it is written or refused.
    """

    def __init__(self, store: FeatureStore, is_settled: Callable[[str], None]) -> None:
        self._store = store
        self._is_settled = is_settled
        # Videos whose name the file system refuses, or whose features no reader would accept.
        self.refused: dict[str, AvlocError] = {}
        self._writers: dict[str, FeatureWriter] = {}  # used by the thread only
        self._jobs: Queue[tuple[str, Callable[[], None]] | None] = Queue(_MOST_WAITING)
        self._error: BaseException | None = None
        self._thread = Thread(target=self._work, name="avloc-writing")

    def __enter__(self) -> StoreThread:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._jobs.put(None)
        self._thread.join()
        if kind is None:
            self._raise()

    def put_visual(self, video_id: str, n_segments: int, maps: Tensor) -> None:
        """Write the next of a video's ``n_segments`` maps, (k, H, W, Dv) on any device."""

        def job() -> None:
            self._writer(video_id, n_segments).put_visual(maps.cpu().numpy())

        self._do(video_id, job)

    def finish(self, video_id: str, n_segments: int, rest: Callable[[], VideoFeatures]) -> None:
        """Write everything else of a video, and give its file its name."""

        def job() -> None:
            self._writer(video_id, n_segments).finish(rest())
            del self._writers[video_id]
            self._is_settled(video_id)

        self._do(video_id, job)

    def abandon(self, video_id: str) -> None:
        """Drop a video that cannot be finished."""

        def job() -> None:
            if video_id in self._writers:
                self._writers.pop(video_id).abandon()

        self._do(video_id, job)

    def _do(self, video_id: str, job: Callable[[], None]) -> None:
        self._raise()
        self._jobs.put((video_id, job))

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while (waiting := self._jobs.get()) is not None:
            video_id, job = waiting
            if self._error is None and video_id not in self.refused:
                try:
                    job()
                except (NameRefusedError, ArtifactError) as error:
                    self._writers.pop(video_id, None)
                    self.refused[video_id] = error
                    self._is_settled(video_id)
                except BaseException as error:
                    self._error = error
        for writer in self._writers.values():
            writer.abandon()

    def _writer(self, video_id: str, n_segments: int) -> FeatureWriter:
        if video_id not in self._writers:
            self._writers[video_id] = self._store.writer(video_id, n_segments)
        return self._writers[video_id]
