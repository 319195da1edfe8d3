"""The state of a run: which clips are under way, and what became of the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from avloc.artifacts import Failure, FeatureStore
from avloc.errors import AvlocError
from avloc.features.assembly import Batches, ClipAssembly
from avloc.features.decoding import ClipClosed, ClipFailed, DecodingTask, Message
from avloc.features.sharing import Sharing
from avloc.features.writing import StoreWriting
from avloc.progress import Progress


class Run:
    """The state of one `extract`: clips under way, and what became of the others."""

    def __init__(
        self,
        store: FeatureStore,
        writing: StoreWriting,
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
        self._clips: dict[str, ClipAssembly] = {}
        self._n_done_elsewhere = 0
        self._handed_over: set[str] = set()
        self.failures: list[Failure] = []

    @property
    def n_done(self) -> int:
        """How many videos were handed over to be written."""
        return len(self._handed_over)

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
        for video_id in self._sharing.done_elsewhere[self._n_done_elsewhere :]:
            self._n_done_elsewhere += 1
            self._tell(video_id)
        if self._sharing.left:
            self._tell(f"{self._sharing.left[0]}, which another run is at")

    def refuse(self, tasks: Iterable[DecodingTask], errors: Mapping[str, AvlocError]) -> None:
        """Count videos as failed that can have no file, unless they failed already."""
        failed = {failure.video_id for failure in self.failures}
        for task in tasks:
            if task.video_id in errors and task.video_id not in failed:
                self._handed_over.discard(task.video_id)
                self._record(task, errors[task.video_id].message)

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
                self._handed_over.add(video_id)
                self._tell(video_id)

    def _fail(self, task: DecodingTask, reason: str) -> None:
        self._clips.pop(task.video_id, None)
        self._writing.abandon(task.video_id)
        self._record(task, reason)
        self._sharing.release(task.video_id)

    def _record(self, task: DecodingTask, reason: str) -> None:
        failure = Failure(task.video_id, str(task.path), reason)
        self._store.record_failure(failure.video_id, failure.source, failure.reason)
        self.failures.append(failure)
        self._tell(task.video_id)

    def _tell(self, video_id: str) -> None:
        n_ended = self.n_done + len(self.failures) + self._n_done_elsewhere
        self._progress(n_ended, self._n_total, video_id)
