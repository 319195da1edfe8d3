"""Features written beside the work: the device and the decoders do not wait for the disk."""

from __future__ import annotations

from collections.abc import Callable
from queue import Queue
from threading import Thread

from torch import Tensor

from avloc.artifacts import FeatureStore, FeatureWriter, VideoFeatures
from avloc.errors import ArtifactError, AvlocError, NameRefusedError

_MOST_WAITING = 8  # things to write; beyond that the disk is what decides


class StoreWriting:
    """A context in which a store is written by another thread, in the order of the calls.

    Leaving it waits for the rest, and what was not finished leaves no trace. Each call and
    the leaving raise what went wrong before: OutputError if the place cannot be written.

    A video whose name the file system refuses, or whose features no reader would take, costs
    itself alone: nothing of it is written.

    Args:
        store: where to.
        is_settled: called by that thread with a video's id once its file is there, or refused.

    Attributes:
        refused: by id, why a video has no file.
    """

    def __init__(self, store: FeatureStore, is_settled: Callable[[str], None]) -> None:
        self._store = store
        self._is_settled = is_settled
        self.refused: dict[str, AvlocError] = {}
        self._writers: dict[str, FeatureWriter] = {}  # the thread's own
        self._jobs: Queue[tuple[str, Callable[[], None]] | None] = Queue(_MOST_WAITING)
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
        self._do(video_id, lambda: self._put_visual(video_id, n_segments, maps))

    def finish(self, video_id: str, n_segments: int, rest: Callable[[], VideoFeatures]) -> None:
        """Write all else of a video, and give its file its name."""
        self._do(video_id, lambda: self._finish(video_id, n_segments, rest()))

    def abandon(self, video_id: str) -> None:
        """Drop a video that cannot be finished."""
        self._do(video_id, lambda: self._abandon(video_id))

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

    def _put_visual(self, video_id: str, n_segments: int, maps: Tensor) -> None:
        self._writer(video_id, n_segments).put_visual(maps.cpu().numpy())

    def _finish(self, video_id: str, n_segments: int, rest: VideoFeatures) -> None:
        self._writer(video_id, n_segments).finish(rest)
        del self._writers[video_id]
        self._is_settled(video_id)

    def _abandon(self, video_id: str) -> None:
        if video_id in self._writers:
            self._writers.pop(video_id).abandon()

    def _writer(self, video_id: str, n_segments: int) -> FeatureWriter:
        if video_id not in self._writers:
            self._writers[video_id] = self._store.writer(video_id, n_segments)
        return self._writers[video_id]
