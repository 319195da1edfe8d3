"""The videos of one extraction: those under way, and those that failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from avloc.artifacts import Failure, FeatureStore
from avloc.errors import AvlocError
from avloc.features.clip_features import ClipFeatures
from avloc.features.decoding import DecodingTask, Message
from avloc.features.encoding_batch import Batches
from avloc.features.sharing import Sharing
from avloc.features.store_thread import StoreThread
from avloc.progress import Progress


class Run:
    """The videos of one `extract`: those under way, and those that failed."""

    def __init__(
        self,
        store: FeatureStore,
        writing: StoreThread,
        sharing: Sharing,
        batches: Batches,
        n_total: int,
        progress: Progress,
    ) -> None:
        self._store = store
        self._writing = writing
        self._sharing = sharing
        self._batches = batches
        self._n_total = n_total
        self._progress = progress
        self._clips: dict[str, ClipFeatures] = {}
        self._n_done_elsewhere = 0
        self._handed_over: set[str] = set()
        self.failures: list[Failure] = []

    @property
    def n_done(self) -> int:
        """How many videos were handed over to be written."""
        return len(self._handed_over)

    def take(self, task: DecodingTask, message: Message) -> None:
        """Take a clip's next message, and hand over to be written what is encoded by now."""
        if isinstance(message, Failure):
            self._clips.pop(task.video_id, None)
            self._writing.abandon(task.video_id)
            self._record(message)
            self._sharing.release(task.video_id)
            return
        if task.video_id not in self._clips:
            self._clips[task.video_id] = ClipFeatures(self._batches)
        self._clips[task.video_id].take(message)
        self._hand_over()

    def finish(self) -> None:
        """Encode what has not filled a batch, and hand over the rest."""
        self._batches.encode()
        self._hand_over()
        for video_id in self._sharing.done_elsewhere[self._n_done_elsewhere :]:
            self._n_done_elsewhere += 1
            self._report(video_id)
        if self._sharing.left:
            self._report(f"{self._sharing.left[0]}, which another run is at")

    def refuse(self, tasks: Iterable[DecodingTask], errors: Mapping[str, AvlocError]) -> None:
        """Count videos that have no file because of these errors as failed, once each."""
        failed = {failure.video_id for failure in self.failures}
        for task in tasks:
            if task.video_id in errors and task.video_id not in failed:
                self._handed_over.discard(task.video_id)
                self._record(task.failure(errors[task.video_id].message))

    def _hand_over(self) -> None:
        for video_id, clip in list(self._clips.items()):
            if (maps := clip.next_maps()) is not None:
                self._writing.put_visual(video_id, clip.n_segments, maps)
            if clip.is_complete:
                self._writing.finish(video_id, clip.n_segments, clip.features)
                del self._clips[video_id]
                self._handed_over.add(video_id)
                self._report(video_id)

    def _record(self, failure: Failure) -> None:
        self._store.record_failure(failure.video_id, failure.source, failure.reason)
        self.failures.append(failure)
        self._report(failure.video_id)

    def _report(self, what: str) -> None:
        n_ended = self.n_done + len(self.failures) + self._n_done_elsewhere
        self._progress(n_ended, self._n_total, what)
