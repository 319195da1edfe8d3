"""The videos of one extraction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from time import monotonic

from avloc.artifacts import Failure, FeatureStore
from avloc.decoding.clip_decoding import DecodingTask, Message
from avloc.errors import AvlocError
from avloc.features.clip_features import ClipFeatures
from avloc.features.encoding_batch import Batches
from avloc.features.sharing import Sharing
from avloc.features.store_thread import StoreThread
from avloc.progress import Progress


@dataclass
class Run:
    """The videos that a worker extracts at once.

    Attributes:
        done: of each video that was handed over to be written, T and the seconds it took.
        reasons: why videos failed.
    """

    store: FeatureStore
    writing: StoreThread
    sharing: Sharing
    batches: Batches
    n_total: int
    progress: Progress
    done: dict[str, tuple[int, float]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    _clips: dict[str, ClipFeatures] = field(default_factory=dict)
    _began: dict[str, float] = field(default_factory=dict)
    _n_done_elsewhere: int = 0

    def take(self, task: DecodingTask, message: Message) -> None:
        """Take a clip's next message, and hand over to be written what is encoded by now."""
        if isinstance(message, Failure):
            self._clips.pop(task.video_id, None)
            self.writing.abandon(task.video_id)
            self._record(message)
            self.sharing.release(task.video_id)
            return
        if task.video_id not in self._clips:
            self._clips[task.video_id] = ClipFeatures(self.batches)
            self._began[task.video_id] = monotonic()
        self._clips[task.video_id].take(message)
        self._hand_over()

    def finish(self) -> None:
        """Encode what has not filled a batch, and hand over the rest."""
        self.batches.encode()
        self._hand_over()
        for video_id in self.sharing.done_elsewhere[self._n_done_elsewhere :]:
            self._n_done_elsewhere += 1
            self._report(video_id)
        if self.sharing.left:
            self._report(f"{self.sharing.left[0]}, which another run is at")

    def refuse(self, tasks: Iterable[DecodingTask], errors: Mapping[str, AvlocError]) -> None:
        """Count videos that have no file because of these errors as failed, once each."""
        for task in tasks:
            if task.video_id in errors and task.video_id not in self.reasons:
                self.done.pop(task.video_id, None)
                self._record(task.failure(errors[task.video_id].message))

    def _hand_over(self) -> None:
        for video_id, clip in list(self._clips.items()):
            if (maps := clip.next_maps()) is not None:
                self.writing.put_visual(video_id, clip.n_segments, maps)
            if clip.is_complete:
                self.writing.finish(video_id, clip.n_segments, clip.features)
                del self._clips[video_id]
                seconds = monotonic() - self._began.pop(video_id)
                self.done[video_id] = clip.n_segments, round(seconds, 3)
                self._report(video_id)

    def _record(self, failure: Failure) -> None:
        self.store.record_failure(failure.video_id, failure.source, failure.reason)
        self.reasons[failure.video_id] = failure.reason
        self._report(failure.video_id)

    def _report(self, what: str) -> None:
        n_ended = len(self.done) + len(self.reasons) + self._n_done_elsewhere
        self.progress(n_ended, self.n_total, what)
