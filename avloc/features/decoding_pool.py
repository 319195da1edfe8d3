"""Many clips decoded at once; one whose decoder dies or hangs costs only itself.

Processes are pebble's: it starts them, limits each call's time, kills what hangs and tells
what died. Each is a pool of one, because a clip streams out of the process that began it, a
chunk a call: an hour of video is never in memory, and the time limit is a chunk's, so that a
clip which waits for a slow network is not punished for it. Pictures come through shared
memory, of which one half is filled while the other is read.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace

from pebble import ProcessExpired, ProcessPool

from avloc.errors import UsageError
from avloc.features.decoding import (
    ClipClosed,
    ClipFailed,
    DecodingTask,
    Message,
    PictureSegment,
)
from avloc.features.decoding_process import Chunk, PictureMemory, begin, decode_more
from avloc.features.spec import FeatureSpec
from avloc.interrupts import deaf_to_interrupts

CHUNK_SECONDS = 120.0

_Said = Iterator[tuple[DecodingTask, Message]]


@dataclass(frozen=True)
class _Clip:
    number: int
    task: DecodingTask


@dataclass(frozen=True)
class _Call:
    """A chunk of a clip that was asked for, and the half that its pictures go to."""

    clip: _Clip
    half: int
    answer: Future[Chunk]


class DecodingPool:
    """A context in which clips are decoded by other processes.

    Args:
        n_workers: how many processes.
        spec: of the clips.
        niceness: how far the processes stand back; an encoder on the same cores uses all of
            them together at every layer, and one that has to share its core holds up all.
        chunk_seconds: how long decoding a chunk may take before the clip is given up.
    """

    def __init__(
        self,
        n_workers: int,
        spec: FeatureSpec,
        *,
        niceness: int = 0,
        chunk_seconds: float = CHUNK_SECONDS,
    ) -> None:
        layout = PictureMemory.of(spec)
        self._lanes = [_Lane(layout, niceness, chunk_seconds) for _ in range(n_workers)]

    def __enter__(self) -> DecodingPool:
        """Begin; processes start when there is work."""
        return self

    def __exit__(self, *_: object) -> None:
        """End every process, whatever it is doing."""
        for lane in self._lanes:
            lane.stop()
        for lane in self._lanes:
            lane.join()

    def decode(self, tasks: Sequence[DecodingTask]) -> _Said:
        """Yield every clip's messages as they come; each clip ends closed or failed.

        A message's pictures are to be copied before the next message is asked for.

        Raises:
            UsageError: processes cannot be started from this program.
        """
        waiting = deque(_Clip(*numbered) for numbered in enumerate(tasks))
        while True:
            for lane in self._lanes:
                lane.ask(waiting)
            lane_of = {lane.calls[0].answer: lane for lane in self._lanes if lane.calls}
            if not lane_of:
                return
            for answer in wait(lane_of, return_when=FIRST_COMPLETED).done:
                yield from lane_of[answer].hear(waiting)


class _Lane:
    """One process and the clips that go through it; its ``calls`` are answered in order."""

    def __init__(self, layout: PictureMemory, niceness: int, chunk_seconds: float) -> None:
        self._layout = layout
        self._niceness = niceness
        self._chunk_seconds = chunk_seconds
        self._context = multiprocessing.get_context("spawn")
        self._memory = self._context.RawArray("B", layout.n_bytes)
        self._has_answered = False
        self._reset()

    def _reset(self) -> None:
        arguments = (self._memory, self._layout, self._niceness)
        self._pool = ProcessPool(1, initializer=begin, initargs=arguments, context=self._context)
        self._free = [0, 1]
        self._clip: _Clip | None = None
        self.calls: deque[_Call] = deque()

    def ask(self, waiting: deque[_Clip]) -> None:
        """Ask for as many chunks as there are free halves: of the clip, or of a waiting one."""
        while self._free:
            if self._clip is None:
                if not waiting:
                    return
                self._clip = waiting.popleft()
            self.calls.append(self._call(self._clip, self._free.pop(0)))

    def _call(self, clip: _Clip, half: int) -> _Call:
        answer: Future[Chunk]
        try:
            with deaf_to_interrupts():
                answer = self._pool.schedule(
                    decode_more,
                    args=(clip.number, clip.task, half),
                    timeout=self._chunk_seconds,
                )
        except RuntimeError:  # the process died while it had nothing to do
            answer = Future()
            answer.set_exception(BrokenProcessPool())
        return _Call(clip, half, answer)

    def hear(self, waiting: deque[_Clip]) -> _Said:
        """Yield the messages of the first call, which has been answered."""
        call = self.calls.popleft()
        try:
            chunk = call.answer.result()
        except (ProcessExpired, BrokenProcessPool, TimeoutError) as error:
            yield call.clip.task, ClipFailed(f"{call.clip.task.path}: {self._reason(error)}")
            self._begin_anew(call.clip, waiting)
            return
        self._has_answered = True
        for message in self._with_images(chunk, call.half):
            if isinstance(message, ClipClosed | ClipFailed) and self._clip is call.clip:
                self._clip = None
            yield call.clip.task, message
        self._free.append(call.half)

    def _with_images(self, chunk: Chunk, half: int) -> Iterator[Message]:
        images, n_seen = self._layout.view(self._memory)[half], 0
        for message, n_images in zip(chunk.messages, chunk.n_images, strict=True):
            if isinstance(message, PictureSegment):
                yield replace(message, images=images[n_seen : n_seen + n_images])
                n_seen += n_images
            else:
                yield message

    def _reason(self, error: Exception) -> str:
        """Say what befell the process.

        Raises:
            UsageError: it never began.
        """
        if isinstance(error, TimeoutError):
            return f"decoding hung ({self._chunk_seconds:.0f} s without a sign)"
        if isinstance(error, ProcessExpired):
            code = error.exitcode
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            return f"the process that decoded it died ({how})"
        if self._has_answered:
            return "the process that decoded it died"
        raise UsageError(
            "a decoding process ended before it could begin",
            'In a script, call avloc under `if __name__ == "__main__":`; or pass workers=0.',
        )

    def _begin_anew(self, lost: _Clip, waiting: deque[_Clip]) -> None:
        """Take a new process; a clip that was asked for after the lost one waits again."""
        later = dict.fromkeys([*(call.clip for call in self.calls), self._clip])
        waiting.extendleft(clip for clip in later if clip is not None and clip is not lost)
        self.stop()
        self.join()
        self._reset()

    def stop(self) -> None:
        """Tell the process to end."""
        self._pool.stop()  # type: ignore[no-untyped-call]

    def join(self) -> None:
        """Wait until it has ended."""
        self._pool.join()
