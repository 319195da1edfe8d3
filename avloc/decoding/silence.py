"""A decoder that gives no sign of work for too long is given up, however slow others are.

A sign is a packet read or a block hashed. In this process a thread decodes a clip, in turn with
the caller: a thread that hangs in a codec cannot be ended, but it can be left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import closing
from functools import partial
from queue import SimpleQueue
from threading import Thread
from time import monotonic

from avloc.decoding.clip_decoding import Decoded, DecodingTask, Message, decode_clip, decode_or_fail
from avloc.errors import MediaError
from avloc.progress import send_signs_to

SILENCE_SECONDS = 120.0
LOOK_SECONDS = 1.0
"""How often to look for a sign where nothing else happens."""
_LONGEST_LOOK = 5.0  # seconds; in a longer one this process itself was held up
_FAREWELL = 10.0  # seconds that a decoder has to see that it must end


class Silence:
    """Measures how long a decoder has given no sign, while this process looked for one."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self.begin()

    def begin(self) -> None:
        """Count from now on."""
        self._n_signs, self._seconds, self._looked = -1, 0.0, monotonic()

    def is_over_limit(self, n_signs: int) -> bool:
        """Tell whether it has lasted for the limit; ``n_signs`` have come so far."""
        now = monotonic()
        if n_signs != self._n_signs:
            self._n_signs, self._seconds = n_signs, 0.0
        else:
            self._seconds += min(now - self._looked, _LONGEST_LOOK)
        self._looked = now
        return self._seconds >= self._limit


def hung(limit: float) -> str:
    """Return the reason for giving up a decoder that gave no sign for ``limit`` seconds."""
    return f"decoding hung ({limit:.0f} s without a sign)"


def decode_watched(task: DecodingTask, limit: float = SILENCE_SECONDS) -> Generator[Decoded]:
    """Decode a clip in this process; MediaError if no sign comes for ``limit`` seconds."""
    thread = _Decoding(partial(decode_clip, task))
    try:
        while True:
            turn, silence = thread.take_turn(), Silence(limit)
            while not wait([turn], LOOK_SECONDS).done:
                if silence.is_over_limit(thread.n_signs):
                    thread.is_hung = True
                    raise MediaError(f"{task.path}: {hung(limit)}")
            message = turn.result()
            if message is None:
                return
            yield message
    finally:
        thread.end()


def decode_here(
    tasks: Iterable[DecodingTask], limit: float
) -> Generator[tuple[DecodingTask, Message]]:
    """Decode clips in this process, one after the other, as a `DecodingPool` does in others."""
    for task in tasks:
        with closing(decode_or_fail(task, partial(decode_watched, limit=limit))) as messages:
            for message in messages:
                yield task, message


class _DismissedError(BaseException):
    """Ends the work of a decoder whose result is not needed; it never leaves the thread."""


class _Decoding(Thread):
    """Runs an iterator one item a turn; the turn after the last gives None."""

    def __init__(self, decode: Callable[[], Iterator[Decoded]]) -> None:
        super().__init__(name="avloc-decoding", daemon=True)
        self._decode = decode
        self._turns: SimpleQueue[Future[Decoded | None] | None] = SimpleQueue()
        self._is_dismissed = False
        self.is_hung = False
        self.n_signs = 0
        self.start()

    def take_turn(self) -> Future[Decoded | None]:
        turn: Future[Decoded | None] = Future()
        self._turns.put(turn)
        return turn

    def end(self) -> None:
        self._is_dismissed = True
        self._turns.put(None)
        self.join(0 if self.is_hung else _FAREWELL)

    def run(self) -> None:
        send_signs_to(self._count)
        messages = self._decode()
        while (turn := self._turns.get()) is not None:
            try:
                turn.set_result(next(messages, None))
            except BaseException as error:
                turn.set_exception(error)

    def _count(self) -> None:
        self.n_signs += 1
        if self._is_dismissed:
            raise _DismissedError
