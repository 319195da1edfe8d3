"""Many clips decoded at once; one whose decoder dies or hangs costs only itself.

Processes are pebble's: it starts them, kills what hangs and tells what died. Each is a pool of
one, because a clip streams out of the process that began it, a chunk a call: an hour of video
is never in memory, and a clip which waits for a slow network is not punished for it. Pictures
come through shared memory, of which one half is filled while the other is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

from pebble import ProcessExpired, ProcessPool

from avloc.features.decoding import (
    ClipClosed,
    ClipFailed,
    DecodingTask,
    Message,
    PictureSegment,
    decode_or_fail,
)
from avloc.features.decoding_process import Chunk, PictureMemory, Signs, begin, decode_more
from avloc.features.silence import LOOK_SECONDS, SILENCE_SECONDS, Silence, decode_watched, hung
from avloc.features.spawning import Afresh
from avloc.interrupts import deaf_to_interrupts
from avloc.spec import FeatureSpec

_MOST_FALSE_STARTS = 3  # one after the other, before a process is done without

_Said = Generator[tuple[DecodingTask, Message]]


@dataclass(eq=False)
class _Clip:
    """A clip under way; what was heard of it decides whether it can begin again elsewhere."""

    number: int
    task: DecodingTask
    is_begun: bool = False
    is_over: bool = False


@dataclass(frozen=True)
class _Call:
    """A chunk of a clip that was asked for, and the half that its pictures go to."""

    clip: _Clip
    half: int
    answer: Future[Chunk]


class _Waiting:
    """Clips that no process has begun: tasks, taken only when they are needed."""

    def __init__(self, tasks: Iterable[DecodingTask], numbers: Iterator[int]) -> None:
        self._clips = map(_Clip, numbers, tasks)
        self._given_back: deque[_Clip] = deque()

    def next(self) -> _Clip | None:
        return self._given_back.popleft() if self._given_back else next(self._clips, None)

    def give_back(self, clips: Iterable[_Clip]) -> None:
        self._given_back.extend(clips)


class DecodingPool:
    """A context in which clips are decoded by other processes.

    A process that dies before it has begun a clip is started anew. Where that fails again and
    again, for example for want of memory, the clips are decoded in this process.

    Args:
        n_workers: how many processes.
        spec: of the clips.
        niceness: how far the processes stand back; an encoder on the same cores uses all of
            them together at every layer, and one that has to share its core holds up all.
        silence_seconds: without a sign of work after which a clip is given up.
    """

    def __init__(
        self,
        n_workers: int,
        spec: FeatureSpec,
        *,
        niceness: int = 0,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        layout = PictureMemory.of(spec)
        self._silence_seconds = silence_seconds
        self._numbers = count()
        self._lanes = [_Lane(layout, niceness, silence_seconds) for _ in range(n_workers)]

    def __enter__(self) -> DecodingPool:
        """Begin; processes start when there is work."""
        return self

    def __exit__(self, *_: object) -> None:
        """End every process, whatever it is doing."""
        for lane in self._lanes:
            lane.stop()
        for lane in self._lanes:
            lane.join()

    def decode(self, tasks: Iterable[DecodingTask]) -> _Said:
        """Yield every clip's messages as they come; each clip ends closed or failed.

        A message's pictures are to be copied before the next message is asked for. A task is
        taken when a process is free for it.
        """
        waiting = _Waiting(tasks, self._numbers)
        while True:
            for lane in self._lanes:
                lane.ask(waiting)
            lane_of = {lane.calls[0].answer: lane for lane in self._lanes if lane.calls}
            if not lane_of:
                break
            for answer in wait(lane_of, LOOK_SECONDS, FIRST_COMPLETED).done:
                yield from lane_of[answer].hear(waiting)
            for lane in self._lanes:
                yield from lane.end_silence(waiting)
        while (clip := waiting.next()) is not None:
            decode = partial(decode_watched, limit=self._silence_seconds)
            for message in decode_or_fail(clip.task, decode):
                yield clip.task, message


class _Lane:
    """One process and the clips that go through it; its ``calls`` are answered in order."""

    def __init__(self, layout: PictureMemory, niceness: int, silence_seconds: float) -> None:
        context = Afresh()
        self._layout = layout
        self._memory = context.RawArray("B", layout.n_bytes)
        self._signs: Signs = context.RawValue(Signs)
        self._new_pool = partial(
            ProcessPool,
            1,
            initializer=begin,
            initargs=(self._memory, layout, niceness, self._signs),
            context=context,
        )
        self._silence_seconds = silence_seconds
        self._n_false_starts = 0
        self._reset()

    def _reset(self) -> None:
        self._pool = self._new_pool()
        self._silence = Silence(self._silence_seconds)
        self._has_answered = False
        self._free = [0, 1]
        self._clip: _Clip | None = None
        self.calls: deque[_Call] = deque()

    def ask(self, waiting: _Waiting) -> None:
        """Ask for as many chunks as there are free halves: of the clip, or of a waiting one."""
        while self._free and self._n_false_starts < _MOST_FALSE_STARTS:
            self._clip = self._clip or waiting.next()
            if self._clip is None:
                return
            self.calls.append(self._call(self._clip, self._free.pop(0)))

    def _call(self, clip: _Clip, half: int) -> _Call:
        answer: Future[Chunk]
        try:
            with deaf_to_interrupts():
                answer = self._pool.schedule(decode_more, args=(clip.number, clip.task, half))
        except (RuntimeError, BrokenProcessPool):  # the process died while it had nothing to do
            answer = Future()
            answer.set_exception(BrokenProcessPool())
        return _Call(clip, half, answer)

    def hear(self, waiting: _Waiting) -> _Said:
        """Yield the messages of the first call, which has been answered."""
        call = self.calls[0]
        try:
            chunk = call.answer.result()
        except ProcessExpired as error:
            code = error.exitcode
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            yield from self._lose(f"the process that decoded it died ({how})", waiting)
        except BrokenProcessPool:  # at work on nothing: what it had begun is lost with it
            reason = "the process that decoded it died" if call.clip.is_begun else ""
            yield from self._lose(reason, waiting)
        else:
            self._has_answered, self._n_false_starts = True, 0
            yield from self._take(self.calls.popleft(), chunk)

    def _take(self, call: _Call, chunk: Chunk) -> _Said:
        call.clip.is_begun = True
        for message in self._with_images(chunk, call.half):
            if isinstance(message, ClipClosed | ClipFailed):
                call.clip.is_over = True
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

    def end_silence(self, waiting: _Waiting) -> _Said:
        """Give up the clip that the process is at if it has given no sign for too long."""
        if not self.calls or not self.calls[0].answer.running():
            self._silence.begin()
        elif self._silence.is_over_limit(self._signs.value):
            yield from self._lose(hung(self._silence_seconds), waiting)

    def _lose(self, reason: str, waiting: _Waiting) -> _Said:
        """Take a new process; of the clips under way only the first may be lost, for a reason."""
        clips = dict.fromkeys([*(call.clip for call in self.calls), self._clip])
        under_way = [clip for clip in clips if clip is not None and not clip.is_over]
        lost = under_way.pop(0) if reason and under_way[:1] == [self.calls[0].clip] else None
        self._n_false_starts += not self._has_answered and lost is None
        waiting.give_back(under_way)
        self.stop()
        self.join()
        self._reset()
        if lost is not None:
            yield lost.task, ClipFailed(f"{lost.task.path}: {reason}")

    def stop(self) -> None:
        """Tell the process to end."""
        self._pool.stop()  # type: ignore[no-untyped-call]

    def join(self) -> None:
        """Wait until it has ended."""
        self._pool.join()
