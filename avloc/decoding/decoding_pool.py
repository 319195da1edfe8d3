"""Many clips decoded at once by other processes; one that dies or hangs costs one clip.

Each process is a pebble pool of one, which is restarted when it hangs or dies. A call decodes
one segment, so a clip that waits for a slow network is not given up. Pictures come through
shared memory, a ring of slots with a segment each.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

from pebble import ProcessExpired, ProcessPool

from avloc.decoding.clip_decoding import DecodingTask, Message, Segment
from avloc.decoding.decoding_process import Signs, begin, decode_next, memory_shape, slots_in
from avloc.decoding.silence import LOOK_SECONDS, SILENCE_SECONDS, Silence, decode_here, hung
from avloc.decoding.spawning import SpawnWithoutMain
from avloc.interrupts import interrupts_blocked
from avloc.spec import FeatureSpec

_MOST_FALSE_STARTS = 3  # in a row, before the process is given up

_Messages = Generator[tuple[DecodingTask, Message]]


@dataclass(eq=False)
class _Clip:
    """A clip under way; until it is begun, another process can take it."""

    number: int
    task: DecodingTask
    is_begun: bool = False
    is_over: bool = False


@dataclass(frozen=True)
class _Call:
    """A segment asked for, and the slot for its pictures."""

    clip: _Clip
    slot: int
    answer: Future[Message | None]


class _Waiting:
    """Clips that no process has begun; a task is taken only when it is needed."""

    def __init__(self, tasks: Iterable[DecodingTask], numbers: Iterator[int]) -> None:
        self._clips = map(_Clip, numbers, tasks)
        self._given_back: deque[_Clip] = deque()

    def next(self) -> _Clip | None:
        return self._given_back.popleft() if self._given_back else next(self._clips, None)

    def give_back(self, clips: Iterable[_Clip]) -> None:
        self._given_back.extend(clips)

    def tasks(self) -> Iterator[DecodingTask]:
        while (clip := self.next()) is not None:
            yield clip.task


class DecodingPool:
    """A context in which ``n_workers`` processes decode clips of one spec.

    A process that dies before it has begun a clip is started again. Where that fails several
    times, for example for want of memory, or where ``n_workers`` is 0, the clips are decoded in
    this process. A clip whose decoder gives no sign for ``silence_seconds`` is given up.
    """

    def __init__(
        self,
        n_workers: int,
        spec: FeatureSpec,
        niceness: int = 0,  # an encoder waits for all cores at every layer: it must not share one
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self._silence_seconds = silence_seconds
        self._numbers = count()
        self._lanes = [_Lane(spec, niceness, silence_seconds) for _ in range(n_workers)]

    def __enter__(self) -> DecodingPool:
        return self

    def __exit__(self, *_: object) -> None:
        for lane in self._lanes:
            lane.stop()
        for lane in self._lanes:
            lane.join()

    def decode(self, tasks: Iterable[DecodingTask]) -> _Messages:
        """Yield every clip's messages as they come; pictures are valid until the next message."""
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
        yield from decode_here(waiting.tasks(), self._silence_seconds)


class _Lane:
    """One process and the clips that go through it; its ``calls`` are answered in order."""

    def __init__(self, spec: FeatureSpec, niceness: int, silence_seconds: float) -> None:
        context, shape = SpawnWithoutMain(), memory_shape(spec)
        memory = context.RawArray("B", math.prod(shape))
        self._slots = slots_in(memory, shape)
        self._signs: Signs = context.RawValue(Signs)
        self._new_pool = partial(
            ProcessPool,
            1,
            initializer=begin,
            initargs=(memory, shape, niceness, self._signs),
            context=context,
        )
        self._silence_seconds = silence_seconds
        self._n_false_starts = 0
        self._reset()

    def _reset(self) -> None:
        self._pool = self._new_pool()
        self._silence = Silence(self._silence_seconds)
        self._has_answered = False
        self._n_calls = 0
        self._clip: _Clip | None = None
        self.calls: deque[_Call] = deque()

    def ask(self, waiting: _Waiting) -> None:
        """Ask for as many segments as there are free slots: of the clip, or of a waiting one."""
        while len(self.calls) < len(self._slots) and self._n_false_starts < _MOST_FALSE_STARTS:
            self._clip = self._clip or waiting.next()
            if self._clip is None:
                return
            self.calls.append(self._call(self._clip, self._n_calls % len(self._slots)))
            self._n_calls += 1

    def _call(self, clip: _Clip, slot: int) -> _Call:
        answer: Future[Message | None]
        try:
            with interrupts_blocked():
                answer = self._pool.schedule(decode_next, args=(clip.number, clip.task, slot))
        except (RuntimeError, BrokenProcessPool):  # the process died while it had nothing to do
            answer = Future()
            answer.set_exception(BrokenProcessPool())
        return _Call(clip, slot, answer)

    def hear(self, waiting: _Waiting) -> _Messages:
        call = self.calls[0]
        try:
            message = call.answer.result()
        except ProcessExpired as error:
            code = error.exitcode
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            yield from self._lose(f"the process that decoded it died ({how})", waiting)
        except BrokenProcessPool:  # it died between two calls, and the clip that it had begun
            reason = "the process that decoded it died" if call.clip.is_begun else ""
            yield from self._lose(reason, waiting)
        else:
            self._has_answered, self._n_false_starts = True, 0
            self.calls.popleft()
            call.clip.is_begun = True
            if isinstance(message, Segment):
                images = tuple(self._slots[call.slot, : message.n_images])
                yield call.clip.task, replace(message, images=images)
            elif message is not None:
                call.clip.is_over, self._clip = True, None
                yield call.clip.task, message

    def end_silence(self, waiting: _Waiting) -> _Messages:
        """Give up the clip that the process is at if it has given no sign for too long."""
        if not self.calls or not self.calls[0].answer.running():
            self._silence.begin()
        elif self._silence.is_over_limit(self._signs.value):
            yield from self._lose(hung(self._silence_seconds), waiting)

    def _lose(self, reason: str, waiting: _Waiting) -> _Messages:
        """Start a new process; of the clips under way only the first may be lost, for a reason."""
        clips = dict.fromkeys([*(call.clip for call in self.calls), self._clip])
        under_way = [clip for clip in clips if clip is not None and not clip.is_over]
        lost = under_way.pop(0) if reason and under_way[:1] == [self.calls[0].clip] else None
        self._n_false_starts += not self._has_answered and lost is None
        waiting.give_back(under_way)
        self.stop()
        self.join()
        self._reset()
        if lost is not None:
            yield lost.task, lost.task.failure(f"{lost.task.path}: {reason}")

    def stop(self) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]

    def join(self) -> None:
        self._pool.join()
